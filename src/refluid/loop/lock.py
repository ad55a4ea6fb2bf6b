"""One process at a time may write into a run's directory.

The lock is a POSIX record lock on `run.lock`. It ends with its process however that ends, and is
not inherited by forked workers, so that a worker that outlives a killed run does not hold it. Such
a lock does not keep two runs of one process apart; a set of paths does.
May import: errors, observe.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from pathlib import Path

from refluid.errors import RunError
from refluid.observe.run.holder import held, lock_path

__all__ = ["RunLock"]


class RunLock:
    """The right to write into a run's directory.

    Args:
        directory: exists, and can be written to.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = lock_path(directory)
        self._descriptor = -1

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            RunError: another process, or another `Run` of this one, has it; or the file cannot be
                opened.

        Effects:
            Writes this process's number and host into `run.lock`.
        """
        if self._path in held:
            raise RunError(self._refusal("another Run of this process"))
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise RunError(
                f"{self._directory} cannot be written to ({error.strerror}): choose another "
                "`directory` for the run, or change its permissions."
            ) from None
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            holder = os.pread(self._descriptor, 512, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise RunError(self._refusal(holder or "another process")) from None
        held.add(self._path)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(
            self._descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0
        )

    def release(self) -> None:
        """Give the lock back; the file stays, empty."""
        held.discard(self._path)
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    def _refusal(self, holder: str) -> str:
        return (
            f"{self._directory} is in use by {holder}: wait until that run has ended, or give "
            "this one a `directory` of its own."
        )
