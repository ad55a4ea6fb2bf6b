"""Write a file so that a kill or a power cut at any instant leaves the old one or the new one.

The contents go to a file beside the target, are forced to the disk, and take the target's name in
one step; then the folder is forced to the disk, without which the name could be lost again.

The file beside it, `.NAME.*.tmp`, is locked while it is written. A lock ends with its process: so
the next save to the same target knows what a killed one left behind, and removes it.
May import: the standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["make_folder", "replacing", "sync_folder"]

_FLAGS = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` when the block ends without an error.

    Folders on the way are made. As with `open`, a link is followed, an existing file keeps its
    permissions, and a new one gets those that the umask leaves. Of several that are written at one
    time, the last to end stays.

    Raises:
        OSError: a folder or the file cannot be made, written or renamed. What was at `path` is
            unchanged, except if only the last step failed, forcing the folder to the disk.
    """
    target = Path(os.path.realpath(path))
    make_folder(target.parent)
    _remove_leftovers(target)
    temporary, descriptor = _create(target)
    with open(descriptor, "wb") as file:
        try:
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(descriptor, stat.S_IMODE(os.stat(target).st_mode))
            yield file
            file.flush()
            os.fsync(descriptor)
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    sync_folder(target.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each forced to the disk by the folder that holds it.

    Raises:
        OSError: one of them cannot be made; FileExistsError if something else has its name.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Force a folder to the disk: the names in it, not the contents of its files.

    Raises:
        OSError: there is no such folder, or the disk failed.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create(target: Path) -> tuple[Path, int]:
    """Return a new file beside the target, and its descriptor, which holds the lock."""
    while True:
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        descriptor = os.open(temporary, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666)
        # A file system without locks: nothing is removed there, so nothing need be held
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return temporary, descriptor
        # Another save came between the two calls above and took it for a leftover
        os.close(descriptor)


def _remove_leftovers(target: Path) -> None:
    with os.scandir(target.parent) as entries:
        names = [e.name for e in entries if e.name.startswith(f".{target.name}.")]
    for name in names:
        if name.endswith(".tmp"):
            # Any failure means that it is in use, gone, or not ours to remove
            with contextlib.suppress(OSError):
                _remove_if_abandoned(target.with_name(name))


def _remove_if_abandoned(temporary: Path) -> None:
    descriptor = os.open(temporary, _FLAGS)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(temporary)
    finally:
        os.close(descriptor)
