"""A started program is seen from outside, killed where it is to be, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from refluid.errors import RunError
from refluid.observe.journal.journal import Journal, Start
from refluid.proof.attempt import (
    Attempt,
    glimpse,
    living,
    newest_checkpoint,
    run_directories,
    unfinished,
)

# holds a run as `RunLock` does; "child" starts a process that outlives it
HOLDER = """
import os, subprocess, sys, time
from pathlib import Path
run = Path(sys.argv[-1], "x")
run.mkdir(parents=True)
if "child" in sys.argv:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
(run / "run.lock").write_text(f"process {os.getpid()} on here\\n")
print("it holds", flush=True)
time.sleep(100)
"""
# a launcher: its child holds the run
LAUNCHER = """
import subprocess, sys
sys.exit(subprocess.call([sys.executable, *sys.argv[1:]]) and 7)
"""


@pytest.fixture
def begin(tmp_path):
    attempts = []

    def start(*command):
        runs = tmp_path / "runs"
        attempt = Attempt(
            [sys.executable, "-c", *command, str(runs)], os.environ, runs, tmp_path / "out"
        )
        attempts.append(attempt)
        return attempt

    yield start
    for attempt in attempts:
        attempt.close()
        assert not living(attempt.session)


def until(condition):
    end_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_process_that_holds_a_run_is_found_and_killed(begin):
    attempt = begin(HOLDER)
    run = attempt.await_run()
    assert run is not None
    assert run.pid == attempt.session
    assert run.directory.name == "x"
    assert attempt.kill() == 0
    assert attempt.wait(0) == -signal.SIGKILL
    assert attempt.open_run() is None
    assert "it holds" in attempt.last_lines()


def test_run_of_a_launcher_s_child_is_killed_and_not_the_launcher(begin):
    attempt = begin(LAUNCHER, "-c", HOLDER)
    run = attempt.await_run()
    assert run is not None
    assert run.pid != attempt.session
    assert attempt.kill() == 0
    assert attempt.wait(30) == 7


def test_program_that_holds_nothing_yet_is_killed_whole(begin):
    attempt = begin("import time; time.sleep(100)")
    assert attempt.open_run() is None
    assert attempt.kill() == 0
    assert attempt.wait(0) == -signal.SIGKILL
    assert attempt.survivors() == []


def test_lock_of_a_killed_process_is_not_taken_for_a_run_that_is_open(begin, tmp_path):
    attempt = begin("import time; time.sleep(100)")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "run.lock").write_text(f"process {os.getpid()} on here\n")
    assert attempt.open_run() is None


def test_program_that_has_ended_cannot_be_killed(begin):
    attempt = begin("raise SystemExit(3)")
    assert attempt.await_run() is None
    assert attempt.kill() is None
    assert attempt.wait(0) == 3
    assert attempt.last_lines() == "    (it printed nothing)"


def test_child_that_outlives_its_program_is_reported_and_ended(begin):
    attempt = begin(HOLDER, "child")
    assert attempt.await_run() is not None
    until(lambda: len(living(attempt.session)) == 2)
    assert attempt.kill() == 0
    (survivor,) = attempt.survivors()
    assert survivor != attempt.session
    attempt.close()
    until(lambda: not living(attempt.session))
    assert attempt.survivors() == []


def test_program_that_does_not_end_is_noticed(begin):
    assert begin("import time; time.sleep(100)").wait(0.01) is None


def test_program_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(RunError, match="'nowhere' cannot be started"):
        Attempt(["nowhere"], {}, tmp_path, tmp_path / "out")


def test_unfinished_checkpoints_are_told_apart_from_deleted_ones(tmp_path):
    assert unfinished(tmp_path) == (set(), set())
    assert newest_checkpoint(tmp_path) is None
    folder = tmp_path / "checkpoints"
    names = [
        *("step-00000020", "step-00000030", "step-100000000", "step-00000900.damaged"),
        *(".step-00000020.0a1b2c3d.tmp", ".step-100000001.0a1b2c3d.tmp"),
    ]
    for name in names:
        (folder / name).mkdir(parents=True)
    assert unfinished(tmp_path) == ({names[-1]}, {names[-2]})
    assert newest_checkpoint(tmp_path) == folder / "step-100000000"


def test_runs_are_found_below_a_folder_but_not_in_one_another(tmp_path):
    for place in ("b", "a/deep", "b/in"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "run.sqlite").touch()
    assert list(run_directories(tmp_path)) == [tmp_path / "a" / "deep", tmp_path / "b"]
    assert list(run_directories(tmp_path / "nothing")) == []


def test_glimpse_reads_a_journal_and_leaves_its_log_as_it_is(tmp_path):
    journal = Journal(tmp_path / "run.sqlite")
    journal.open()
    for first in (0, 3):
        journal.start(
            Start(pid=1, host="h", argv=["p"], from_step=first, environment={}, config={})
        )
        journal.append([], [], [(step, "leaf", "0") for step in range(first, first + 2)])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    found = glimpse(tmp_path)
    assert (found.from_steps, found.num_steps) == ([0, 3], 5)
    # a log that a reader has cleaned up is no longer what a kill has left
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert before["run.sqlite-wal"]
    journal.close()


def test_glimpse_of_a_run_without_a_journal_is_empty(tmp_path):
    assert glimpse(tmp_path).from_steps == []
    (tmp_path / "run.sqlite").touch()
    assert glimpse(tmp_path).num_steps == 0
