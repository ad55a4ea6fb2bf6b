"""Who has a run is known without taking it: from outside, from within, and after a kill."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

from refluid.loop.lock import RunLock
from refluid.observe.run.holder import Holder, held, holder_of, lock_path

# the lock of a run, taken as `loop.lock` does, but without loading torch
HOLD = """
import fcntl, os, socket, sys
descriptor = os.open(sys.argv[1] + "/run.lock", os.O_RDWR | os.O_CREAT)
fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\\n".encode(), 0)
print("held", flush=True)
sys.stdin.readline()
os.ftruncate(descriptor, 0)
"""


@pytest.fixture
def process(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_folder_without_a_lock_has_no_holder(tmp_path):
    assert holder_of(tmp_path) is None
    assert holder_of(tmp_path / "missing") is None
    assert not list(tmp_path.iterdir())


def test_process_that_has_the_run_is_found_and_not_disturbed(tmp_path, process):
    for _ in range(3):
        assert holder_of(tmp_path) == Holder(process.pid, socket.gethostname(), alive=True)


def test_lock_of_a_run_is_one_that_is_seen(tmp_path):
    lock = RunLock(tmp_path)
    lock.acquire()
    try:
        held.add(lock_path(tmp_path))
        assert holder_of(tmp_path) == Holder(os.getpid(), socket.gethostname(), alive=True)
        # this process still has it: nobody else gets it
        code = (
            f"from refluid.observe.run.holder import *; print(holder_of(Path({str(tmp_path)!r})))"
        )
        found = subprocess.run(
            [sys.executable, "-c", f"from pathlib import Path; {code}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"pid={os.getpid()}" in found.stdout
        assert "alive=True" in found.stdout
    finally:
        held.discard(lock_path(tmp_path))
        lock.release()
    assert holder_of(tmp_path) is None


def test_killed_process_is_told_from_one_that_gave_back(tmp_path, process):
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert holder_of(tmp_path) == Holder(process.pid, socket.gethostname(), alive=False)


def test_given_back_is_no_ones(tmp_path, process):
    process.communicate("\n")
    assert holder_of(tmp_path) is None


@pytest.mark.parametrize("text", ["", "process 12345678901 on \n", "\x00\xff", "process x on y"])
def test_whatever_the_lock_says_is_no_error(tmp_path, text):
    (tmp_path / "run.lock").write_bytes(text.encode("latin-1"))
    assert holder_of(tmp_path) in (None, Holder(None, None, alive=False))


def test_pipe_in_place_of_the_lock_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "run.lock")
    assert holder_of(tmp_path) is None


def test_folder_in_place_of_the_lock_has_no_holder(tmp_path):
    (tmp_path / "run.lock").mkdir()
    assert holder_of(tmp_path) is None
