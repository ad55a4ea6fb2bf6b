"""Records come back from a journal as they were, and nothing else is taken for one."""

from __future__ import annotations

import io
import sqlite3

import numpy as np
import pytest
import torch

from refluid.errors import RunError
from refluid.observe.journal.format import APPLICATION, TABLES
from refluid.observe.journal.journal import Event, Journal
from refluid.observe.journal.reader import JournalReader
from refluid.observe.record import (
    Confusion,
    Embedding,
    Gallery,
    Histogram,
    Image,
    Picture,
    Table,
    Text,
    to_body,
)

matplotlib_image = pytest.importorskip("matplotlib.image")

GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)
RECORDS = {
    "text": Text("<b>\u5b57</b>\n"),
    "image": Image.of(GRAY),
    "histogram": Histogram.of([0.0, 1.0, 1.0, float("nan")], bins=2),
    "table": Table(("a", "b"), (("x", 1), (None, float("inf")))),
    "confusion": Confusion(("cat", "dog"), np.array([[3, 1], [0, 2]])),
    "gallery": Gallery((Picture(Image.of(GRAY), "a 1"),)),
    "embedding": Embedding(np.ones((2, 3)), ("p", "q")),
}


def pixels_of(image: Image) -> np.ndarray:
    read = matplotlib_image.imread(io.BytesIO(image.png))
    return np.rint(255 * read).astype(np.uint8)


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "run.sqlite")
    journal.open()
    yield journal
    journal.close()


def test_every_record_comes_back_as_it_was(journal):
    journal.append(records=[(3, name, record) for name, record in RECORDS.items()])
    with JournalReader(journal.path) as reader:
        found = {name: record for step, name, record in reader.records() if step == 3}
    assert {name: to_body(record) for name, record in found.items()} == {
        name: to_body(record) for name, record in RECORDS.items()
    }
    assert {name: type(record) for name, record in found.items()} == {
        name: type(record) for name, record in RECORDS.items()
    }
    assert found["histogram"].counts.tolist() == [1, 2]
    assert found["confusion"].counts.dtype == np.int64
    assert found["table"] == RECORDS["table"]


def test_records_are_found_by_class_name_and_step(journal):
    journal.append(records=[(step, "t", Text(f"{step}")) for step in range(5)])
    journal.append(records=[(2, "u", Text("u")), (2, "v", RECORDS["image"])])
    with JournalReader(journal.path) as reader:
        assert [(s, n) for s, n, _ in reader.records(Text, since=2)] == [
            (2, "t"), (2, "u"), (3, "t"), (4, "t"),
        ]  # fmt: skip
        assert [s for s, _, _ in reader.records(names=["v"])] == [2]
        assert reader.latest(Text, "t") == (4, Text("4"))
        assert reader.latest(Image, "t") is None


def test_a_run_that_goes_on_takes_back_the_records_of_steps_that_come_again(journal):
    journal.append(records=[(step, "t", Text(f"{step}")) for step in range(5)])
    journal.cut(3, Event(step=3, kind="resumed"))
    with JournalReader(journal.path) as reader:
        assert [step for step, _, _ in reader.records()] == [0, 1, 2]


@pytest.mark.parametrize(
    "pixels",
    [
        np.random.RandomState(0).randint(0, 256, (5, 7), np.uint8),
        np.random.RandomState(0).randint(0, 256, (5, 7, 3), np.uint8),
    ],
    ids=["gray", "color"],
)
def test_other_programs_read_the_pictures(pixels):
    assert np.array_equal(pixels_of(Image.of(pixels)), pixels)
    if pixels.ndim == 3:
        assert np.array_equal(pixels_of(Image.of(np.moveaxis(pixels, 2, 0))), pixels)


def test_floats_are_from_0_to_1_and_tensors_are_taken(journal):
    image = Image.of(torch.tensor([[[0.0, 0.5, 2.0, -1.0, float("nan")]]], requires_grad=True))
    assert (image.height, image.width) == (1, 5)
    assert pixels_of(image).tolist() == [[0, 128, 255, 0, 0]]
    assert Image.of(torch.ones(2, 2, dtype=torch.bfloat16)).png == Image.of(np.ones((2, 2))).png


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Image.of(np.ones(3)), r"`pixels` must be \[H, W\]"),
        (lambda: Image.of(np.ones((2, 2), np.int32)), "`pixels` must be uint8 or floats"),
        (lambda: Image.of(np.ones((0, 2))), "`pixels` must be"),
        (lambda: Image(b"GIF89a", 1, 1), "`png` must be a PNG file"),
        (lambda: Table(("a",), ((1, 2),)), "`rows` must be 1 cells"),
        (lambda: Table(("a",), (([],),)), "`rows` must be texts and numbers"),
        (lambda: Histogram([0, 1], [1, 2]), "one edge more than counts"),
        (lambda: Confusion(("a",), np.ones((2, 2))), "`counts` must be shape"),
        (lambda: Embedding(np.ones((2, 2)), ("a",)), "`labels` must be 2 of them"),
        (lambda: Text("x" * (1 << 26 | 1)), "`text` must be 64 MiB at most"),
        (lambda: Histogram(np.zeros(1 << 23 | 2), np.zeros(1 << 23 | 1)), "`edges` must be 64 MiB"),
        (lambda: Table(("a",), (("x" * (1 << 26 | 1),),)), "`rows` must be 64 MiB at most"),
        (lambda: Text(3), "`text` must be a string, but received 3"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_argument(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'os.system'",
        "body = '{}'",
        "body = 'x'",
        "body = '3'",
        "body = x'ff'",
        'body = \'{"png": "R0lG", "width": 1, "height": 1}\'',
        f"body = '{'[' * 100_000}'",
    ],
)
def test_a_record_that_was_damaged_is_refused_when_it_is_read(journal, change):
    journal.append(records=[(0, "i", RECORDS["image"])])
    journal.close()
    with sqlite3.connect(journal.path) as connection:
        connection.execute(f"UPDATE record SET {change}")
    connection.close()
    with JournalReader(journal.path) as reader, pytest.raises(RunError, match="cannot be read"):
        list(reader.records())


def test_a_journal_of_format_1_is_read_and_gets_records_when_it_is_written(tmp_path):
    path = tmp_path / "run.sqlite"
    connection = sqlite3.connect(path)
    for name in ("meta", "metric", "digest", "event", "start"):
        connection.execute(TABLES[name])
    connection.execute("INSERT INTO meta VALUES ('run', 'abc')")
    connection.execute("INSERT INTO metric VALUES (7, 'loss', 0.5)")
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    with JournalReader(path) as reader:
        assert list(reader.records()) == []
        assert reader.latest(Text, "t") is None
        assert list(reader.metrics()) == [(7, "loss", 0.5)]
    journal = Journal(path)
    assert journal.open("other") is None
    assert journal.run == "abc"
    journal.append(records=[(8, "t", Text("new"))])
    journal.close()
    with JournalReader(path) as reader:
        assert reader.latest(Text, "t") == (8, Text("new"))
        assert reader.last_step() == 7
