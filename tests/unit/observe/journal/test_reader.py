"""A journal is read in order, whole, and without getting in the way of its writer."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from refluid.errors import RunError
from refluid.observe.journal.journal import Event, Journal
from refluid.observe.journal.reader import JournalReader

READ_WHILE_WRITTEN = """
import os, sys
from refluid.observe.journal.journal import Event, Journal
from refluid.observe.journal.reader import JournalReader

path = sys.argv[1]
journal = Journal(path)
journal.open()
journal.close()
names = ["accuracy", "loss", "rate"]
steps = 1500


def read():
    last, times = -1, 0
    while last < steps - 1:
        # one that stays open, and one that comes and goes
        with JournalReader(path) as reader:
            for _ in range(5):
                rows = list(reader.metrics(since=last + 1))
                assert rows == [
                    (step, name, step / 7)
                    for step in range(last + 1, last + 1 + len(rows) // 3)
                    for name in names
                ]
                last += len(rows) // 3
                times += 1
                assert reader.last_step() is None or reader.last_step() >= last
                assert len(reader.events()) >= last + 1
    return times


children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        os._exit(0 if read() > 5 else 1)
    children.append(child)
journal.open()
for step in range(steps):
    journal.append(
        [(step, name, step / 7) for name in names],
        [Event(step=step, kind="seen", text="x" * 500)],
        durable=step % 100 == 0,
    )
journal.close()
for child in children:
    assert os.waitpid(child, 0)[1] == 0
# of several that close at one time, each may take another for the last
with JournalReader(path):
    pass
print(*sorted(os.listdir(os.path.dirname(path))))
"""

READ_ONLY = """
import os, signal, sys
from refluid.errors import RunError
from refluid.observe.journal.journal import Journal
from refluid.observe.journal.reader import JournalReader

folder, case = sys.argv[1:]
path = os.path.join(folder, "run.sqlite")
receiving, sending = os.pipe()
writer = os.fork()
if writer == 0:
    journal = Journal(path)
    journal.open()
    journal.append([(0, "loss", 1.0)])
    if case == "closed":
        journal.close()
    os.write(sending, b"x")
    signal.pause()
os.read(receiving, 1)
if case != "live":
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
if case == "no index":
    os.unlink(path + "-shm")
before = os.listdir(folder)
os.chmod(folder, 0o555)
reader = os.fork()
if reader == 0:
    if os.geteuid() == 0:
        # root may write everywhere
        os.setgid(65534)
        os.setuid(65534)
    for use in (lambda: JournalReader(path), lambda: Journal(path)):
        used = use()
        try:
            used.open()
            print(list(used.metrics()))
        except RunError as error:
            print(error)
        used.close()
    sys.stdout.flush()
    os._exit(0)
assert os.waitpid(reader, 0)[1] == 0
assert os.listdir(folder) == before
os.chmod(folder, 0o755)
if case == "live":
    os.kill(writer, signal.SIGKILL)
"""


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "run.sqlite")
    journal.open()
    yield journal
    journal.close()


def run(program: str, *arguments: object) -> list[str]:
    # From `python -c` on, there are no threads that a fork would lose
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


# --- what is read -----------------------------------------------------------------------------


def test_rows_come_ordered_by_step_and_then_by_name(journal):
    journal.append([(2, "b", 1.0), (2, "a", 2.0), (10, "a", 3.0), (1, "z", 4.0)])
    with JournalReader(journal.path) as reader:
        assert list(reader.metrics()) == [
            (1, "z", 4.0),
            (2, "a", 2.0),
            (2, "b", 1.0),
            (10, "a", 3.0),
        ]
        assert list(reader.metrics(["a", "z"], since=2)) == [(2, "a", 2.0), (10, "a", 3.0)]
        assert list(reader.metrics([])) == []
        assert reader.names() == ["a", "b", "z"]
        assert reader.last_step() == 10


def test_more_rows_than_a_page_come_each_once(journal):
    # three to a step, so that a page ends within one
    rows = [(step, name, float(step)) for step in range(8000) for name in ("a", "b", "c")]
    journal.append(rows, digests=[(step, "leaf", f"{step:016x}") for step in range(10_001)])
    with JournalReader(journal.path) as reader:
        assert list(reader.metrics()) == rows
        assert list(reader.metrics(["b"], since=100)) == [
            row for row in rows[300:] if row[1] == "b"
        ]
        assert [step for step, _, _ in reader.digests()] == list(range(10_001))


def test_a_curve_is_two_arrays(journal):
    journal.append([(1, "loss", 0.5), (4, "loss", -0.0), (4, "rate", 1.0), (2**53 + 1, "loss", 2)])
    with JournalReader(journal.path) as reader:
        steps, values = reader.curve("loss")
        assert steps.dtype == np.int64
        assert values.dtype == np.float64
        assert steps.tolist() == [1, 4, 2**53 + 1]
        assert [value.hex() for value in values.tolist()] == [v.hex() for v in (0.5, -0.0, 2.0)]
        assert reader.curve("loss", since=4)[0].tolist() == [4, 2**53 + 1]
        assert [part.shape for part in reader.curve("absent")] == [(0,), (0,)]


def test_a_journal_without_rows_reads_as_one(journal):
    with JournalReader(journal.path) as reader:
        assert reader.run == journal.run
        assert reader.last_step() is None
        assert reader.names() == reader.events() == reader.starts() == list(reader.metrics()) == []


# --- where there is none ------------------------------------------------------------------------


def test_no_journal_is_made_where_there_is_none(tmp_path):
    with pytest.raises(RunError, match=r"run\.sqlite is not there, or not a file"):
        JournalReader(tmp_path / "run.sqlite").open()
    assert os.listdir(tmp_path) == []


def test_an_empty_file_is_told_as_such(tmp_path):
    (tmp_path / "run.sqlite").touch()
    with pytest.raises(RunError, match="it is empty: the run is about to begin, or never did"):
        JournalReader(tmp_path / "run.sqlite").open()
    assert (tmp_path / "run.sqlite").stat().st_size == 0


def test_a_reader_that_is_not_open_says_so(journal):
    reader = JournalReader(journal.path)
    with pytest.raises(RunError, match=r"run\.sqlite is not open: call `open` first"):
        reader.names()


@pytest.mark.parametrize("name", ["with space", "100%41", "what?mode=memory", "a#b", "odd\udcff"])
def test_a_folder_may_have_any_name(tmp_path, name):
    (tmp_path / name).mkdir()
    journal = Journal(tmp_path / name / "run.sqlite")
    journal.open()
    journal.append([(0, "a", 1.0)])
    with JournalReader(journal.path) as reader:
        assert list(reader.metrics()) == [(0, "a", 1.0)]
    journal.close()
    assert os.listdir(tmp_path) == [name]


def test_nothing_stays_beside_a_journal_that_was_read(journal):
    journal.append([(0, "a", 1.0)])
    journal.close()
    with JournalReader(journal.path) as reader:
        assert reader.names() == ["a"]
    assert os.listdir(journal.path.parent) == ["run.sqlite"]


# --- beside the writer ----------------------------------------------------------------------------


def test_an_open_reader_sees_what_is_appended_and_what_is_cut(journal):
    with JournalReader(journal.path) as reader:
        for step in range(5):
            journal.append([(step, "a", 1.0)])
            assert reader.last_step() == step
        journal.cut(2, Event(step=2, kind="resumed"))
        assert reader.curve("a")[0].tolist() == [0, 1]


def test_a_reader_that_stops_half_way_keeps_neither_the_writer_nor_its_log(journal):
    text = "x" * 1000
    journal.append([(step, name, 1.0) for step in range(10_000) for name in "ab"])
    with JournalReader(journal.path) as reader:
        rows = reader.metrics()
        assert next(rows) == (0, "a", 1.0)
        for step in range(100):
            journal.append(events=[Event(step=step, kind="seen", text=text)] * 200)
        # 20 MB went through it; SQLite begins it anew after 4 MB, unless somebody reads from it
        assert Path(f"{journal.path}-wal").stat().st_size < 8e6
        assert sum(1 for _ in rows) == 19_999


def test_processes_that_read_while_one_writes_see_whole_transactions(tmp_path):
    assert run(READ_WHILE_WRITTEN, tmp_path / "run.sqlite") == ["run.sqlite"]


@pytest.fixture
def open_folder():
    """A folder that somebody without rights can reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield name


@pytest.mark.parametrize("case", ["closed", "live", "killed"])
def test_a_journal_in_a_read_only_folder_is_read_and_not_written(open_folder, case):
    read, written = run(READ_ONLY, open_folder, case)
    assert read == "[(0, 'loss', 1.0)]"
    assert "run.sqlite cannot be opened: " in written


def test_a_log_that_cannot_be_read_in_a_read_only_folder_is_not_passed_over(open_folder):
    read, _written = run(READ_ONLY, open_folder, "no index")
    assert "run.sqlite cannot be read: " in read
