"""A journal that is damaged or something else is kept aside, and a new one is begun."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from refluid.errors import RunError
from refluid.observe.journal.journal import Event, Journal, Start
from refluid.observe.journal.reader import JournalReader


@pytest.fixture
def folder(tmp_path):
    """A folder in memory where there is one: hundreds of journals are made here."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@pytest.fixture
def path(folder):
    return folder / "run.sqlite"


@pytest.fixture
def content(path):
    """The bytes of a journal with something in every table; it lies at `path`."""
    journal = Journal(path)
    journal.open("f00d")
    journal.start(
        Start(pid=1, host="h", argv=["a"], from_step=0, environment={"a": "b"}, config={"c": [1]})
    )
    journal.append(
        [(step, name, step / 7) for step in range(300) for name in ("accuracy", "loss")],
        [Event(step=step, kind="saved", text="x" * 50) for step in range(30)],
        [(step, "model", "0" * 16) for step in range(30)],
    )
    journal.close()
    return path.read_bytes()


def read_all(path: Path) -> None:
    with JournalReader(path) as reader:
        assert all(isinstance(value, float) for _, _, value in reader.metrics())
        assert all(isinstance(event.text, str) for event in reader.events())
        reader.starts()
        reader.names()
        list(reader.digests())


def change(connection_path: Path, sql: str) -> None:
    connection = sqlite3.connect(connection_path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.executescript(sql)
    connection.close()


def use_damaged(path: Path, damaged: bytes) -> str:
    """Read and write a journal of these bytes; return what became of it."""
    for name in os.listdir(path.parent):
        os.unlink(path.parent / name)
    path.write_bytes(damaged)
    with contextlib.suppress(RunError):
        read_all(path)
    journal = Journal(path)
    try:
        said = journal.open()
        journal.append([(1000, "loss", 1.0)], [Event(step=1000, kind="saved")], durable=True)
    except RunError as error:
        return "later format" if "has format" in str(error) else str(error)
    finally:
        journal.close()
    if said is None:
        return "used"
    assert (path.parent / "run.sqlite.damaged").read_bytes() == damaged
    read_all(path)
    return "set aside"


def test_bit_flips_in_the_header_are_used_set_aside_or_taken_for_a_later_format(path, content):
    found = Counter()
    for position in range(100):
        for bit in (0, 3, 7):
            damaged = bytearray(content)
            damaged[position] ^= 1 << bit
            found[use_damaged(path, bytes(damaged))] += 1
    assert found.keys() == {"used", "set aside", "later format"}
    assert found["set aside"] > 100
    assert found["later format"] < 5


def test_300_damaged_journals_are_used_or_set_aside_and_nothing_else(path, content):
    rng = random.Random(3)
    found = Counter(use_damaged(path, damage(rng, content)) for _ in range(300))
    assert found.keys() == {"used", "set aside"}
    assert found["set aside"] > 150


def damage(rng: random.Random, content: bytes) -> bytes:
    """Flip some bits, cut the end, or write over a stretch."""
    data = bytearray(content)
    kind = rng.randrange(3)
    if kind == 0:
        for _ in range(rng.choice([1, 3, 50])):
            data[rng.randrange(100, len(data))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del data[rng.randrange(len(data)) :]
    else:
        start = rng.randrange(100, len(data))
        data[start : start + rng.randrange(4096)] = rng.randbytes(rng.randrange(1, 4096))
    return bytes(data)


def test_a_damaged_journal_is_said_to_be_and_kept_with_its_log(path, content):
    writer = Journal(path)
    writer.open()
    writer.append([(900, "loss", 1.0)])
    log = Path(f"{path}-wal").read_bytes()
    writer.close()
    path.write_bytes(b"no journal" * 100)
    Path(f"{path}-wal").write_bytes(log)
    journal = Journal(path)
    said = journal.open("beef")
    journal.close()
    assert said == (
        f"{path} was damaged (file is not a database); it is kept as run.sqlite.damaged, and a new "
        "one begins"
    )
    assert sorted(os.listdir(path.parent)) == [
        "run.sqlite",
        "run.sqlite.damaged",
        "run.sqlite.damaged-wal",
    ]
    assert Path(f"{path}.damaged-wal").read_bytes() == log
    with JournalReader(path) as reader:
        assert reader.run == "beef"
        assert reader.last_step() is None


def test_those_kept_aside_before_stay(path):
    for number in range(3):
        path.write_bytes(bytes([number + 1]) * 100)
        journal = Journal(path)
        assert journal.open() is not None
        journal.close()
    for number, name in enumerate(["damaged", "damaged-2", "damaged-3"]):
        assert Path(f"{path}.{name}").read_bytes() == bytes([number + 1]) * 100


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_a_log_without_its_journal_is_kept(path, left):
    if left == "an empty file":
        path.write_bytes(b"")
    Path(f"{path}-wal").write_bytes(b"log")
    journal = Journal(path)
    assert "its log is there without it" in (journal.open() or "")
    journal.close()
    assert Path(f"{path}.damaged-wal").read_bytes() == b"log"


def test_an_empty_file_becomes_a_journal(path):
    path.write_bytes(b"")
    journal = Journal(path)
    assert journal.open() is None
    journal.append([(0, "a", 1.0)])
    journal.close()
    read_all(path)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE TABLE metric(step, name, value)", "it is a database of another program"),
        ("PRAGMA application_id = 7", "it is a database of another program"),
        ("PRAGMA user_version = 1", "it is a database of another program"),
        ("PRAGMA application_id = 1382444149", "its tables are not those of a journal: meta, "),
    ],
)
def test_a_database_of_another_program_is_kept_as_it_is(path, sql, reason):
    change(path, f"{sql}; CREATE TABLE other(x); INSERT INTO other VALUES (17)")
    before = path.read_bytes()
    with pytest.raises(RunError, match=f"cannot be read: {reason}"):
        JournalReader(path).open()
    journal = Journal(path)
    assert reason in (journal.open() or "")
    journal.close()
    assert Path(f"{path}.damaged").read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON metric BEGIN DELETE FROM event; END", "journal: t"),
        ("DROP TABLE event; CREATE VIEW event AS SELECT * FROM start", "journal: event"),
        ("ALTER TABLE metric ADD COLUMN more", "journal: metric"),
        ("PRAGMA user_version = 0", "0 is no format of a journal"),
        ("PRAGMA user_version = -1", "-1 is no format of a journal"),
        ("DELETE FROM meta", "it does not say whose run it is of"),
        ("UPDATE meta SET value = 17", "it does not say whose run it is of"),
    ],
)
def test_a_journal_with_changed_tables_is_not_trusted(path, content, sql, reason):
    change(path, sql)
    with pytest.raises(RunError, match=reason):
        JournalReader(path).open()
    journal = Journal(path)
    assert reason in (journal.open() or "")
    journal.close()


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("UPDATE metric SET value = 'much' WHERE step = 7", "metrics"),
        ("UPDATE metric SET value = 7 WHERE step = 7", "metrics"),
        ("UPDATE metric SET value = x'00' WHERE step = 7", "metrics"),
        ("UPDATE start SET argv = '[1'", "starts"),
        ("UPDATE start SET config = x'ff'", "starts"),
        (f"UPDATE start SET environment = '{'[' * 100_000}'", "starts"),
        ("UPDATE event SET text = CAST(x'ff' AS TEXT)", "events"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_when_it_is_read(path, content, sql, read):
    change(path, sql)
    with (
        JournalReader(path) as reader,
        pytest.raises(RunError, match=r"run\.sqlite cannot be read"),
    ):
        list(getattr(reader, read)())


def test_tables_and_indexes_that_somebody_added_do_no_harm(path, content):
    change(path, "CREATE TABLE mine(x); CREATE INDEX fast ON metric(name); ANALYZE")
    journal = Journal(path)
    assert journal.open() is None
    journal.close()
    read_all(path)


def test_a_later_format_is_refused_and_left_as_it_is(path, content):
    change(path, "PRAGMA user_version = 3; DROP TABLE digest")
    before = path.read_bytes()
    for opened in (Journal(path), JournalReader(path)):
        with pytest.raises(RunError, match="has format 3, and this refluid knows formats up to 2"):
            opened.open()
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["run.sqlite"]


def test_a_named_pipe_in_its_place_is_set_aside_without_waiting(path):
    os.mkfifo(path)
    with pytest.raises(RunError, match="is not there, or not a file"):
        JournalReader(path).open()
    journal = Journal(path)
    assert "it is not a file" in (journal.open() or "")
    journal.close()


def test_a_folder_in_its_place_is_set_aside(path):
    path.mkdir()
    (path / "file").write_text("kept")
    journal = Journal(path)
    assert "it is not a file" in (journal.open() or "")
    journal.close()
    assert Path(f"{path}.damaged", "file").read_text() == "kept"
