"""Who has a run's directory, asked without taking it or opening what must not be opened.

The lock is a POSIX record lock on `run.lock` (see `loop.lock`). It can be asked about without being
taken, so that looking at a run never keeps it from starting. A process that has such a lock loses
it when it closes the file, however it opened it; so the runs of this process are in a set instead.
May import: nothing of refluid.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Holder", "held", "holder_of", "lock_path"]

# the locks that this process has
held: set[Path] = set()

# C's `struct flock`; it differs between systems
_FLOCK = "qqihh" if sys.platform == "darwin" else "hhqqi4x"
_WRITTEN = re.compile(r"process (\d{1,10}) on (\S+)")


@dataclass(frozen=True)
class Holder:
    """A process that has a run's directory, or had it when it was killed.

    Args:
        pid: its number, or None if `run.lock` does not say it.
        host: its machine, likewise.
        alive: it has the directory now. If not, it has ended without giving it back.
    """

    pid: int | None
    host: str | None
    alive: bool


def lock_path(directory: Path) -> Path:
    """Return the path of a directory's lock, the same by whatever way it is reached."""
    return directory.resolve() / "run.lock"


def holder_of(directory: Path) -> Holder | None:
    """Return who has a run's directory, or None if it was given back, or cannot be looked into."""
    path = lock_path(directory)
    if path in held:
        return Holder(os.getpid(), socket.gethostname(), alive=True)
    try:
        # whatever lies there is not waited for
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(descriptor, 512).decode(errors="replace")
        alive = _is_locked(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if not (alive or text.strip()):
        return None
    found = _WRITTEN.match(text)
    pid, host = (int(found[1]), found[2]) if found else (None, None)
    return Holder(pid, host, alive)


def _is_locked(descriptor: int) -> bool:
    kind, offset, length, pid = fcntl.F_WRLCK, 0, 0, 0
    if sys.platform == "darwin":
        question = struct.pack(_FLOCK, offset, length, pid, kind, os.SEEK_SET)
    else:
        question = struct.pack(_FLOCK, kind, os.SEEK_SET, offset, length, pid)
    try:
        answer = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    except OSError as error:
        # a file system that has no locks has none that is held
        if error.errno in (errno.ENOLCK, errno.EINVAL, errno.ENOTSUP):
            return False
        raise
    return answer[3 if sys.platform == "darwin" else 0] != fcntl.F_UNLCK
