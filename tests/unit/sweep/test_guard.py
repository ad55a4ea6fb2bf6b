"""A guard ends its program when it is asked to, and when nobody is left who could ask."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from refluid.proof.attempt import living
from refluid.sweep import guard

# says when it can be asked; then waits, and says that it was asked
POLITE = """
import pathlib, signal, sys, time
def stop(*_):
    pathlib.Path("asked").touch()
    sys.exit(75)
signal.signal(signal.SIGTERM, stop)
pathlib.Path("ready").touch()
time.sleep(100)
"""
DEAF = POLITE.replace("signal.SIGTERM, stop", "signal.SIGTERM, signal.SIG_IGN")
# what a program leaves behind
PARENT = """
import subprocess, sys
subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(100)"])
"""
# stands for the sweep: starts a guard and waits until it is killed
SWEEP = """
import os, subprocess, sys, time
guard = subprocess.Popen(
    [sys.executable, "-I", "-S", sys.argv[1], str(os.getpid()), "lock", *sys.argv[2:]],
    start_new_session=True,
)
print(guard.pid, flush=True)
time.sleep(100)
"""


@pytest.fixture
def begin(tmp_path):
    guards = []

    def start(*code: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), "lock", *code]
        process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
        guards.append(process)
        return process

    yield start
    for process in guards:
        if living(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(condition) -> None:
    end_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("code", "status"),
    [("", 0), ("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 128 + 9)],
)
def test_program_s_status_is_the_guard_s(begin, code, status):
    assert begin(sys.executable, "-c", code).wait(30) == status


def test_program_that_cannot_be_started_is_said(begin):
    assert begin("./nowhere").wait(30) == 127


def test_guard_that_is_asked_asks_the_program(begin, tmp_path):
    process = begin(sys.executable, "-c", POLITE)
    until((tmp_path / "ready").exists)
    process.terminate()
    assert process.wait(30) == 75
    assert (tmp_path / "asked").exists()


def start_and_kill_sweep(folder: Path, code: str) -> int:
    """Start a sweep, kill it when the program is ready, and return the guard's group."""
    command = [sys.executable, "-c", SWEEP, guard.__file__, sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE) as sweep:
        assert sweep.stdout is not None
        group = int(sweep.stdout.readline())
        until((folder / "ready").exists)
        sweep.kill()
    return group


def test_killed_sweep_leaves_nothing_and_the_program_saves(tmp_path):
    group = start_and_kill_sweep(tmp_path, PARENT + POLITE)
    until(lambda: not living(group))
    assert (tmp_path / "asked").exists()


def test_program_that_does_not_stop_is_killed_after_a_while(tmp_path, monkeypatch):
    # the guard is a file that is run: a copy with less patience
    patient = Path(guard.__file__).read_text()
    impatient = tmp_path / "guard.py"
    impatient.write_text(patient.replace("_GRACE_S = 60.0", "_GRACE_S = 0.1"))
    monkeypatch.setattr(guard, "__file__", str(impatient))
    assert impatient.read_text() != patient
    group = start_and_kill_sweep(tmp_path, PARENT + DEAF)
    until(lambda: not living(group))


def test_second_program_waits_for_the_first_one_s_end(begin, tmp_path):
    first = begin(sys.executable, "-c", POLITE)
    until((tmp_path / "ready").exists)
    # it fails if the first one is still there
    code = "import pathlib; assert pathlib.Path('asked').exists()"
    second = begin(sys.executable, "-c", code)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.3)
    first.terminate()
    assert second.wait(30) == 0


def test_guard_that_waits_can_be_asked_to_stop(begin, tmp_path):
    begin(sys.executable, "-c", POLITE)
    until((tmp_path / "ready").exists)
    second = begin(sys.executable, "-c", "import pathlib; pathlib.Path('second').touch()")
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.3)
    second.terminate()
    assert second.wait(30) == 75
    assert not (tmp_path / "second").exists()
