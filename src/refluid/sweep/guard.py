"""The process between a sweep and a trial's program, which outlives neither.

It starts the program, and asks it to stop by SIGTERM when it is asked to itself, or when the sweep
is gone, however it went: nothing can be done by a process that is killed, so another one has to be
there. What has not stopped a while later is killed, with all that it has started. A sweep that is
started again right after a kill may find the program still saving: one guard waits for the other,
by a lock on a file, so that no two trials run at a time.

Run by its path: guard.py SWEEP LOCK COMMAND... where SWEEP is a process number. It leads the group
of processes that it is in, and exits with the program's status.
May import: the standard library only, little of it, as it is started for each trial.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time

__all__ = ["main"]

_POLL_S = 0.05
# as long as a scheduler waits that takes a machine away, or longer
_GRACE_S = 60.0
_NOT_FOUND = 127
_RESUMABLE = 75


class _Asked:
    """Whether the program shall stop: a signal says so, or the sweep is gone."""

    def __init__(self, sweep: int) -> None:
        self._sweep = sweep
        self._signaled = False
        signal.signal(signal.SIGTERM, self._note)

    def _note(self, *_: object) -> None:
        self._signaled = True

    @property
    def alone(self) -> bool:
        return os.getppid() != self._sweep

    def __bool__(self) -> bool:
        return self._signaled or self.alone


def main(sweep: str, lock: str, *command: str) -> int:
    """Run a command, and end it when the sweep ends.

    Args:
        sweep: number of the process that has started this one.
        lock: a file that one guard at a time has.
        *command: the program and its arguments.

    Returns:
        The program's exit status; 128 and the signal's number if a signal has ended it.
    """
    asked = _Asked(int(sweep))
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    while not _taken(descriptor):
        if asked:
            return _RESUMABLE
        time.sleep(_POLL_S)
    if asked:
        return _RESUMABLE
    try:
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    except OSError as error:
        print(f"{command[0]!r} cannot be started: {error.strerror}", file=sys.stderr)  # noqa: T201
        return _NOT_FOUND
    status = _wait(program, asked)
    if asked.alone:
        # what the program has left behind: there is nobody else to do it
        os.killpg(0, signal.SIGKILL)
    return status if status >= 0 else 128 - status


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(program: subprocess.Popen[bytes], asked: _Asked) -> int:
    until_s = None
    while True:
        try:
            return program.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            pass
        if until_s is None and asked:
            until_s = time.monotonic() + _GRACE_S
            # the program alone: its loader's workers have to go on until it has stopped
            program.send_signal(signal.SIGTERM)
        elif until_s is not None and time.monotonic() > until_s:
            os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
