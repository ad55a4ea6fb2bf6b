"""What a board keeps of a journal is what the journal has, however it grew and was cut."""

from __future__ import annotations

import random

import numpy as np
import pytest

from refluid.errors import RunError
from refluid.observe.board.run import BoardRun
from refluid.observe.journal.journal import Event, Journal
from refluid.observe.record import Gallery, Histogram, Image, Picture, Text

GRAY = Image.of(np.zeros((2, 3), np.uint8))


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "run.sqlite")
    journal.open()
    yield journal
    journal.close()


def seen(run: BoardRun) -> dict[str, list[tuple[int, float]]]:
    return {name: run.points(name, 10_000) for name in sorted(run.outline.extents)}


@pytest.mark.parametrize("seed", range(5))
def test_outline_that_grew_is_that_of_a_fresh_look(journal, seed):
    draw = random.Random(seed)
    growing = BoardRun("r", journal.path)
    rows: dict[tuple[int, str], float] = {}
    step = 0
    for _ in range(40):
        if draw.random() < 0.2 and step:
            step = draw.randrange(step)
            rows = {key: value for key, value in rows.items() if key[0] < step}
            journal.cut(step, Event(step=step, kind="resumed"))
        for _ in range(draw.randrange(4)):
            names = draw.sample(["loss", "valid_loss", "lr"], draw.randrange(1, 4))
            new = {(step, name): draw.random() for name in names}
            # metrics that are logged after a loop belong to its last step
            step += draw.random() < 0.8
            rows |= new
            journal.append([(at, name, value) for (at, name), value in new.items()])
        growing.refresh()
        fresh = BoardRun("r", journal.path)
        fresh.refresh()
        assert growing.outline.extents == fresh.outline.extents
        expected: dict[str, list[tuple[int, float]]] = {}
        for (at, name), value in sorted(rows.items()):
            expected.setdefault(name, []).append((at, value))
        assert seen(growing) == seen(fresh) == dict(sorted(expected.items()))


def test_long_curve_is_right_after_a_cut_that_leaves_as_many_points(journal):
    steps = list(range(0, 60_000, 600))
    journal.append([(60_000, "loss", 0.0), *((step, "valid_loss", 1.0) for step in steps)])
    run = BoardRun("r", journal.path)
    run.refresh()
    assert {value for _, value in run.points("valid_loss", 1000)} == {1.0}
    journal.cut(0, Event(step=0, kind="began"))
    journal.append([(60_000, "loss", 0.0), *((step, "valid_loss", 2.0) for step in steps)])
    run.refresh()
    assert run.points("valid_loss", 1000) == [(step, 2.0) for step in steps]


def test_journal_that_is_replaced_is_looked_at_anew(journal, tmp_path):
    journal.append([(step, "loss", 1.0) for step in range(10)])
    run = BoardRun("r", journal.path)
    run.refresh()
    journal.close()
    journal.path.unlink()
    journal.open()
    journal.append([(step, "accuracy", 1.0) for step in range(20)])
    run.refresh()
    assert list(run.outline.extents) == ["accuracy"]


def test_last_points_of_several_metrics(journal):
    journal.append([(0, "a", 1.0), (3, "b", 2.0), (3, "c", 3.0)])
    run = BoardRun("r", journal.path)
    run.refresh()
    assert run.last_points(["a", "b"]) == {"a": (0, 1.0), "b": (3, 2.0)}


def test_records_are_spread_and_end_with_the_last(journal):
    journal.append(records=[(step, "note", Text(str(step))) for step in range(0, 1000, 10)])
    run = BoardRun("r", journal.path)
    run.refresh()
    assert run.names(Text, Image) == {"note": Text}
    found = run.records(Text, "note", 5)
    assert [(step, record.text) for step, record in found] == [
        (step, str(step)) for step in (0, 240, 490, 740, 990)
    ]
    assert run.record(Text, "note") == Text("990")
    assert run.record(Text, "note", 15) is None


def test_name_that_changes_its_kind_has_the_last_one(journal):
    journal.append(records=[(0, "x", Text("a")), (0, "y", GRAY), (1, "x", GRAY)])
    run = BoardRun("r", journal.path)
    run.refresh()
    assert run.names(Text, Image, Histogram) == {"x": Image, "y": Image}


def test_pictures_of_the_last_gallery_are_counted(journal):
    run = BoardRun("r", journal.path)
    for step, number in enumerate((2, 5)):
        journal.append(records=[(step, "mistakes", Gallery((Picture(GRAY, "a"),) * number))])
        run.refresh()
        assert run.num_pictures("mistakes") == number


def test_journal_that_is_not_there_cannot_be_read(tmp_path):
    with pytest.raises(RunError, match="run.sqlite"):
        BoardRun("r", tmp_path / "run.sqlite").refresh()
