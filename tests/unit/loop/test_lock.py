"""One process at a time has a run's directory; the next is told who."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

from refluid.errors import RunError
from refluid.loop.lock import RunLock

HOLD = """
import sys, time
from pathlib import Path
from refluid.loop.lock import RunLock
RunLock(Path(sys.argv[1])).acquire()
{more}
print("held", flush=True)
sys.stdin.read()
"""


def holding(folder, more=""):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(more=more), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_process_is_told_number_and_host_of_the_first(tmp_path):
    with holding(tmp_path) as other:
        message = f"in use by process {other.pid} on {socket.gethostname()}"
        with pytest.raises(RunError, match=message):
            RunLock(tmp_path).acquire()
        # asking has not taken the lock away
        with pytest.raises(RunError, match=message):
            RunLock(tmp_path).acquire()
        other.kill()
    RunLock(tmp_path).acquire()


def test_a_worker_that_outlives_a_killed_run_does_not_hold_its_directory(tmp_path):
    fork = "import os\nif os.fork() == 0: time.sleep(30); os._exit(0)"
    with holding(tmp_path, fork) as other:
        children = f"/proc/{other.pid}/task/{other.pid}/children"
        with open(children) as file:
            (orphan,) = map(int, file.read().split())
        other.kill()
        other.wait()
        try:
            os.kill(orphan, 0)
            RunLock(tmp_path).acquire()
        finally:
            os.kill(orphan, signal.SIGKILL)


def test_two_runs_of_one_process_are_kept_apart(tmp_path):
    first = RunLock(tmp_path)
    first.acquire()
    with pytest.raises(RunError, match="another Run of this process"):
        RunLock(tmp_path).acquire()
    first.release()
    second = RunLock(tmp_path)
    second.acquire()
    second.release()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_to_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="cannot be written to"):
        RunLock(tmp_path).acquire()
