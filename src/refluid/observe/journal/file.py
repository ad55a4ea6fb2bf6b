"""What lies in a journal's place: whether it can be one, and moving it aside if not.

Damage must be told from what the system refuses, as on a full disk or in a read-only folder: then
the journal is good, and stays where it is.
May import: errors.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from pathlib import Path

from refluid.errors import RunError

__all__ = ["flaw_of", "is_damage", "set_aside"]

# the database, and what SQLite keeps beside it; its `-shm` is made anew from these
_FILES = ("", "-wal", "-journal")


def flaw_of(path: Path) -> str | None:
    """Return what is wrong with the files before SQLite is asked, or None.

    Raises:
        RunError: the system does not let them be looked at.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            # SQLite would wait for the other end of a pipe
            return "it is not a file"
        if status.st_size:
            return None
    except FileNotFoundError:
        pass
    except OSError as error:
        raise RunError(f"{path} cannot be opened: {error.strerror}.") from error
    log = _beside(path, "-wal")
    # SQLite would drop it unread
    return "its log is there without it" if log.exists() and log.stat().st_size else None


def is_damage(error: Exception, path: Path) -> bool:
    """Return whether an error of SQLite is the fault of the file and not of the system."""
    if not isinstance(error, sqlite3.OperationalError):
        return True
    if "readonly" in str(error):
        # a header that forbids writing, as formats of SQLite's future may
        return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return str(error).startswith(("unsupported file format", "Could not decode"))


def set_aside(path: Path) -> Path:
    """Rename the journal and SQLite's files beside it; return the new name.

    Raises:
        RunError: the system does not let them be renamed.
    """
    number = 1
    aside = _beside(path, ".damaged")
    while any(os.path.lexists(_beside(aside, ending)) for ending in _FILES):
        number += 1
        aside = _beside(path, f".damaged-{number}")
    try:
        # the database first: if it ends here, the next start finds a log without a database
        for ending in _FILES:
            with contextlib.suppress(FileNotFoundError):
                os.rename(_beside(path, ending), _beside(aside, ending))
        _beside(path, "-shm").unlink(missing_ok=True)
    except OSError as error:
        raise RunError(
            f"{path} is damaged and cannot be renamed: {error.strerror}. Move it out of the way."
        ) from error
    return aside


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
