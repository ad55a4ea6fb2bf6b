"""The journal takes rows whole or not at all, whatever happens to its process or its disk."""

from __future__ import annotations

import math
import os
import resource
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from refluid.errors import RunError
from refluid.observe.journal.journal import Event, Journal, Start
from refluid.observe.journal.reader import JournalReader

KILLED_AT_ANY_INSTANT = """
import os, random, signal, sys, time
from refluid.observe.journal.journal import Event, Journal
from refluid.observe.journal.reader import JournalReader

path = sys.argv[1]
names = ["accuracy", "loss", "rate"]
rng = random.Random(11)
journal = Journal(path)
last = 0
for number in range(40):
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        journal.open()
        for step in range(last + 1, last + 10_000):
            journal.append(
                [(step, name, step / 7) for name in names],
                [Event(step=step, kind="seen", text="x" * 1500)],
                [(step, "model", "0" * 16)],
                durable=step % 3 == 0,
            )
            os.write(sending, b"x")
        os._exit(1)
    os.close(sending)
    acknowledged = last + len(os.read(receiving, 1))
    until = time.perf_counter() + rng.random() * 0.01
    while time.perf_counter() < until:
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(receiving, 10_000):
        acknowledged += len(more)
    os.close(receiving)
    # the next writer finds it as well as a reader that comes first
    if number % 2:
        journal.open()
    with JournalReader(path) as reader:
        assert list(reader.metrics(since=last + 1)) == [
            (step, name, step / 7)
            for step in range(last + 1, reader.last_step() + 1)
            for name in names
        ]
        assert reader.last_step() in (acknowledged, acknowledged + 1)
        last = reader.last_step()
        assert [event.step for event in reader.events()] == list(range(1, last + 1))
        assert [step for step, _, _ in reader.digests()] == list(range(1, last + 1))
    journal.close()
print(last)
"""

KILLED_AT_EVERY_LINE = """
import os, signal, sys
from refluid.observe.journal import file, format, journal as writing
from refluid.observe.journal.journal import Event, Journal
from refluid.observe.journal.reader import JournalReader

folder, work = sys.argv[1:]
path = os.path.join(folder, "run.sqlite")
watched = {writing.__file__, file.__file__, format.__file__}
rows = [(step, "loss", step / 7) for step in range(50)]


def prepare():
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    if work == "begin":
        return
    journal = Journal(path)
    journal.open("before")
    journal.append(rows)
    journal.close()
    if work == "set_aside":
        with open(path, "r+b") as file:
            file.write(b"damaged")


def act():
    journal = Journal(path)
    journal.open("after")
    if work == "cut":
        journal.cut(20, Event(step=20, kind="resumed"))


def die_before_line(instant):
    lines = 0

    def trace(frame, event, arg):
        nonlocal lines
        if frame.f_code.co_filename not in watched:
            return None
        if event == "line":
            lines += 1
            if lines == instant:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    act()
    os._exit(0)


instant = 0
ended = False
while not ended:
    instant += 1
    prepare()
    child = os.fork()
    if child == 0:
        die_before_line(instant)
    ended = os.WIFEXITED(os.waitpid(child, 0)[1])
    journal = Journal(path)
    journal.open("after")
    journal.append([(99, "loss", 1.0)])
    journal.close()
    with JournalReader(path) as reader:
        count = len(list(reader.metrics(since=0))) - 1
        kinds = [event.kind for event in reader.events()]
        print(reader.run, count, len(kinds))
    aside = [name for name in os.listdir(folder) if name.endswith(".damaged")]
    assert len(aside) == (work == "set_aside"), os.listdir(folder)
"""


@pytest.fixture
def folder(tmp_path):
    """A folder in memory where there is one: a kill, unlike a power cut, does not touch disks."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@pytest.fixture
def journal(folder):
    journal = Journal(folder / "run.sqlite")
    journal.open()
    yield journal
    journal.close()


def rows_of(journal: Journal) -> list[tuple[int, str, float]]:
    with JournalReader(journal.path) as reader:
        return list(reader.metrics())


def run(program: str, *arguments: object) -> list[str]:
    # From `python -c` on, there are no threads that a fork would lose
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


# --- what is written ------------------------------------------------------------------------


def test_every_float_comes_back_as_the_same_bits(journal):
    patterns = [
        0x0000000000000000,
        0x8000000000000000,  # -0.0
        0x0000000000000001,  # the smallest subnormal
        0x800FFFFFFFFFFFFF,
        0x7FEFFFFFFFFFFFFF,  # the largest
        0x7FF0000000000000,  # inf
        0xFFF0000000000000,
        0x7FF8000000000000,  # nan
        0xFFF8000000000000,
        0x7FF800000000BEEF,  # nan with a payload
        0x3FB999999999999A,
        0x4330000000000001,
        0x4340000000000000,  # 2**53, which an integer could hold too
    ]
    values = [struct.unpack(">d", struct.pack(">Q", pattern))[0] for pattern in patterns]
    journal.append([(k, "x", value) for k, value in enumerate(values)])
    found = [struct.unpack(">Q", struct.pack(">d", v))[0] for _, _, v in rows_of(journal)]
    assert found == patterns


def test_whole_numbers_are_stored_as_floats(journal):
    journal.append([(0, "a", 3), (0, "b", True), (0, "c", 2**60)])
    assert [(name, value.hex()) for _, name, value in rows_of(journal)] == [
        ("a", (3.0).hex()),
        ("b", (1.0).hex()),
        ("c", (2.0**60).hex()),
    ]


def test_a_name_logged_twice_in_a_step_keeps_its_last_value(journal):
    journal.append([(1, "loss", 1.0), (1, "loss", 2.0)])
    journal.append([(1, "loss", 3.0)])
    assert rows_of(journal) == [(1, "loss", 3.0)]


@pytest.mark.parametrize("name", ["'; DROP TABLE metric; --", "a\0b", "Verlust \u00fc", "%", " "])
def test_a_name_may_be_any_string(journal, name):
    journal.append([(0, name, 0.5)])
    assert rows_of(journal) == [(0, name, 0.5)]


def test_starts_and_events_come_back_as_they_were(journal):
    start = Start(
        pid=17,
        host="host",
        argv=["train.py", "--folder", "odd\udcff"],
        from_step=500,
        environment={"torch": "2.6"},
        config={"rate": 0.1, "sizes": [1, 2], "none": None, "inf": math.inf},
        time=1.5,
    )
    event = Event(step=500, kind="saved", text="two\nlines \u00fc\0", time=2.25)
    journal.start(start)
    journal.append(events=[event, event])
    with JournalReader(journal.path) as reader:
        assert reader.starts() == [start]
        assert reader.events() == [event, event]


def test_what_utf8_cannot_hold_is_spelled_out_in_a_text(journal):
    journal.append(events=[Event(step=0, kind="damaged", text="file \udcff")])
    with JournalReader(journal.path) as reader:
        assert reader.events()[0].text == "file \\udcff"


def test_a_cut_takes_back_metrics_and_digests_and_keeps_what_happened(journal):
    journal.append(
        [(step, name, 1.0) for step in range(6) for name in ("a", "b")],
        [Event(step=5, kind="saved")],
        [(step, "model", "0" * 16) for step in range(6)],
    )
    assert journal.cut(4, Event(step=4, kind="resumed")) == 2
    assert journal.last_step() == 3
    assert rows_of(journal) == [(step, name, 1.0) for step in range(4) for name in ("a", "b")]
    with JournalReader(journal.path) as reader:
        assert [step for step, _, _ in reader.digests()] == [0, 1, 2, 3]
        assert [event.kind for event in reader.events()] == ["saved", "resumed"]


def test_a_cut_after_the_last_step_takes_nothing(journal):
    journal.append([(3, "a", 1.0)])
    assert journal.cut(4, Event(step=4, kind="resumed")) == 0
    assert rows_of(journal) == [(3, "a", 1.0)]


def test_a_journal_without_metrics_has_no_last_step(journal):
    assert journal.last_step() is None


def test_a_journal_that_is_there_goes_on_with_its_own_id(journal):
    journal.append([(0, "a", 1.0)])
    journal.close()
    run = journal.run
    assert len(run) == 32
    assert journal.open("another") is None
    assert journal.run == run
    assert rows_of(journal) == [(0, "a", 1.0)]


def test_a_new_journal_takes_the_id_that_it_is_given(folder):
    journal = Journal(folder / "run.sqlite")
    assert journal.open("f00d") is None
    journal.close()
    with JournalReader(journal.path) as reader:
        assert reader.run == "f00d"


def test_a_durable_append_of_nothing_writes_so_that_what_came_before_is_flushed(journal):
    # a commit without a change would return at once, and leave those rows to the system
    journal.append([(0, "a", 1.0)])
    log = Path(f"{journal.path}-wal")
    before = log.read_bytes()
    journal.append()
    assert log.read_bytes() == before
    journal.append(durable=True)
    assert log.read_bytes() != before


def test_threads_may_share_a_journal(journal):
    def append(name):
        for step in range(50):
            journal.append([(step, name, 1.0)])

    threads = [threading.Thread(target=append, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows_of(journal) == [(step, name, 1.0) for step in range(50) for name in "abcd"]


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((-1, "a", 1.0), "`step` must be a whole number"),
        ((2**63, "a", 1.0), "`step` must be a whole number"),
        ((1.5, "a", 1.0), "`step` must be a whole number"),
        ((0, "", 1.0), "a name must be a string"),
        ((0, "\udcff", 1.0), "a name must be a string"),
        ((0, 7, 1.0), "a name must be a string"),
        ((0, "a", "much"), "a metric's value must be a number, but is 'much'"),
        ((0, "a", None), "a metric's value must be a number, but is None"),
        ((0, "a", 10**400), "a metric's value must be a number"),
    ],
)
def test_what_is_no_metric_is_refused_and_nothing_beside_it_is_written(journal, row, message):
    with pytest.raises(RunError, match=message):
        journal.append([(0, "good", 1.0), row], [Event(step=0, kind="saved")])
    with JournalReader(journal.path) as reader:
        assert list(reader.metrics()) == []
        assert reader.events() == []


def test_a_hash_that_is_no_string_is_refused_with_all_that_came_with_it(journal):
    with pytest.raises(RunError, match="cannot be written"):
        journal.append([(0, "a", 1.0)], digests=[(0, "model", ["0"])])  # type: ignore[list-item]
    assert rows_of(journal) == []
    journal.append([(0, "a", 1.0)])


def test_settings_that_json_cannot_hold_are_refused_by_name(journal):
    start = Start(pid=1, host="h", argv=[], from_step=0, environment={}, config={"net": object()})
    with pytest.raises(RunError, match="`config` must hold only what JSON can.*object"):
        journal.start(start)
    with JournalReader(journal.path) as reader:
        assert reader.starts() == []


def test_a_journal_that_is_not_open_says_so(folder):
    journal = Journal(folder / "run.sqlite")
    with pytest.raises(RunError, match=r"run\.sqlite is not open: call `open` first"):
        journal.append([(0, "a", 1.0)])
    journal.close()
    assert os.listdir(folder) == []


def test_a_folder_that_is_not_there_is_named(folder):
    with pytest.raises(RunError, match=r"absent/run\.sqlite cannot be opened"):
        Journal(folder / "absent" / "run.sqlite").open()


# --- kills ----------------------------------------------------------------------------------


def test_killed_at_any_instant_keeps_whole_transactions_and_all_that_were_acknowledged(folder):
    (line,) = run(KILLED_AT_ANY_INSTANT, folder / "run.sqlite")
    assert int(line) > 40, "each of the 40 processes has written something before it was killed"


def test_killed_before_any_line_of_beginning_leaves_what_can_be_begun(folder):
    lines = run(KILLED_AT_EVERY_LINE, folder, "begin")
    assert len(lines) > 40
    assert set(lines) == {"after 0 0"}


def test_killed_before_any_line_of_setting_aside_keeps_the_damaged_file_once(folder):
    lines = run(KILLED_AT_EVERY_LINE, folder, "set_aside")
    assert len(lines) > 60
    assert set(lines) == {"after 0 0"}


def test_killed_before_any_line_of_a_cut_leaves_it_undone_or_done(folder):
    lines = run(KILLED_AT_EVERY_LINE, folder, "cut")
    assert len(lines) > 40
    assert set(lines) == {"before 50 0", "before 20 1"}
    assert lines == sorted(lines, reverse=True)


# --- a full disk ------------------------------------------------------------------------------


@pytest.fixture
def limit():
    """Files may not grow beyond a size: the nearest thing to a full disk that needs no root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("durable", [False, True])
def test_on_a_full_disk_nothing_is_half_written_and_the_rows_can_be_appended_later(
    journal, limit, durable
):
    before = [(step, "loss", 0.5) for step in range(10)]
    rows = [(step, "loss" + "s" * 500, 0.5) for step in range(10, 1000)]
    journal.append(before)
    limit(100_000)
    for _ in range(3):
        with pytest.raises(RunError, match=r"run\.sqlite cannot be written: disk I/O error"):
            journal.append(rows, [Event(step=10, kind="saved")], durable=durable)
    limit(resource.RLIM_INFINITY)
    assert rows_of(journal) == before
    journal.append(rows, [Event(step=10, kind="saved")], durable=durable)
    assert rows_of(journal) == before + rows
    with JournalReader(journal.path) as reader:
        assert len(reader.events()) == 1


def test_a_journal_that_was_closed_on_a_full_disk_is_whole(journal, limit):
    rows = [(step, "loss" + "s" * 500, 0.5) for step in range(300)]
    journal.append(rows)
    limit(50_000)
    journal.close()
    limit(resource.RLIM_INFINITY)
    assert journal.open() is None
    assert rows_of(journal) == rows


def test_a_disk_that_is_full_at_the_start_is_told_as_such_and_nothing_set_aside(folder, limit):
    journal = Journal(folder / "run.sqlite")
    limit(1000)
    with pytest.raises(RunError, match=r"run\.sqlite cannot be opened: disk I/O error"):
        journal.open()
    limit(resource.RLIM_INFINITY)
    assert journal.open() is None
    journal.close()
    assert os.listdir(folder) == ["run.sqlite"]
