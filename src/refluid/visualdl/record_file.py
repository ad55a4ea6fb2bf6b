"""One file of records, which is whole at every instant.

A record is its length, in eight bytes, and its bytes. Linux ends a `write` that is killed between
two pages of memory, and a reader may see one page before the next; VisualDL's viewer does not start
on a file that ends within a record. So no record lies across the edge of a page: what would is
written behind a void that fills the page. A record of more than a page is prepared under a void,
and the last write, of some bytes within one page, makes the void the record.

A program that is started again goes on in its own file, because a viewer reads only the newest of a
folder. What it writes again, records of a series from some step on, is made void first. The file is
locked while it is written; who finds it locked takes another.
May import: errors, visualdl.wire.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import struct
import time
import weakref
from array import array
from pathlib import Path

from refluid.errors import RunError
from refluid.visualdl.wire import VOID_HEAD, Series, point_of, void_head

__all__ = ["CUT_BACK", "RecordFile", "open_in", "open_named"]

# the content of a void by which a viewer's companion learns that earlier points are gone
CUT_BACK = b"refluid: points of earlier steps were taken back"

_PAGE = 4096
_HEADER = struct.Struct("<Q")
# the smallest void that any gap can be filled with
_SMALLEST = _HEADER.size + VOID_HEAD
_LARGEST = 1 << 31
_CHUNK = 1 << 20

_open: weakref.WeakSet[RecordFile] = weakref.WeakSet()


class RecordFile:
    """A file of records that this process alone writes; `open_in` and `open_named` make it.

    Args:
        path: the file.
        descriptor: of the file, open for reading and writing, and locked.

    Raises:
        ValueError: what the file holds is not records.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._earlier: dict[Series, _Points] = {}
        self._kept_copy = False
        self._end = self._scan(os.fstat(descriptor).st_size)
        os.ftruncate(descriptor, self._end)
        _open.add(self)

    @property
    def is_open(self) -> bool:
        """Whether it can be written to: not after `close`, nor in a forked process."""
        return self._descriptor >= 0

    @property
    def is_empty(self) -> bool:
        """Whether it holds no record."""
        return self._end == 0

    def close(self) -> None:
        """Close the file and give its lock back. It may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def forget_earlier(self) -> None:
        """Take all that the file holds for this program's own, so that nothing is made void."""
        self._earlier.clear()

    def add(self, series: Series, step: int | None, body: bytes) -> None:
        """Add a record; when this returns, a kill does not lose it.

        The first record of a series makes those void that were here before and are not before its
        step. If none of a longer series would be left, a copy of the file is kept.

        Args:
            series: what the record belongs to.
            step: its place there; without one, nothing is made void.
            body: the record.

        Raises:
            OSError: the system refuses, as on a full disk. The file stays as it was.
        """
        if self._earlier:
            points = self._earlier.pop(series, None)
            if points is not None and step is not None:
                self._cut_back(points, step)
        self._append(body)

    def sync(self) -> None:
        """Have the system write what it keeps in memory to the disk."""
        os.fsync(self._descriptor)

    def _append(self, body: bytes) -> None:
        size = _HEADER.size + len(body)
        room = _PAGE - self._end % _PAGE
        if room - size >= _SMALLEST or room == size:
            self._write(_HEADER.pack(len(body)) + body)
            return
        if room < _PAGE:
            # a room too small for a void can only follow what another program has written
            self._write(_void(room if room >= _SMALLEST else room + _PAGE))
        if size <= _PAGE - _SMALLEST or size == _PAGE:
            self._write(_HEADER.pack(len(body)) + body)
        else:
            self._append_pages(_HEADER.pack(len(body)) + body)

    def _append_pages(self, record: bytes) -> None:
        """Add a record of more than a page, at the beginning of one."""
        start, num_pages = self._end, -(-len(record) // _PAGE)
        if 0 < num_pages * _PAGE - len(record) < _SMALLEST:
            num_pages += 1
        room = num_pages * _PAGE
        for _ in range(num_pages):
            self._write(_void(_PAGE))
        # one void in place of many; then what it holds may be written in any order
        os.pwrite(self._descriptor, _void(room)[:_SMALLEST], start)
        rest = _void(room - len(record)) if room > len(record) else b""
        self._overwrite(record[_SMALLEST:] + rest[:_SMALLEST], start + _SMALLEST)
        os.pwrite(self._descriptor, record[:_SMALLEST], start)

    def _write(self, record: bytes) -> None:
        """Write a record at the end of the file, or leave the file as it is."""
        try:
            self._overwrite(record, self._end)
        except OSError:
            os.ftruncate(self._descriptor, self._end)
            raise
        self._end += len(record)

    def _overwrite(self, content: bytes, at: int) -> None:
        written = os.pwrite(self._descriptor, content, at)
        if written != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def _cut_back(self, points: _Points, step: int) -> None:
        """Make the records of a series void from `step` on."""
        again = [
            at for at, earlier in zip(points.places, points.steps, strict=True) if earlier >= step
        ]
        if not again:
            return
        if len(again) == len(points.steps) > 1:
            self._keep_copy()
        # from the last on: if this is killed, a curve without a hole is left
        for at in reversed(again):
            (size,) = _HEADER.unpack(os.pread(self._descriptor, _HEADER.size, at))
            if size >= VOID_HEAD:
                os.pwrite(self._descriptor, void_head(size), at + _HEADER.size)
        self._append(void_head(VOID_HEAD + len(CUT_BACK)) + CUT_BACK)

    def _keep_copy(self) -> None:
        """Copy the file to a name that viewers pass over, once."""
        if self._kept_copy:
            return
        name = self.path.name.replace("vdlrecords", "replaced")
        copy, number = self.path.with_name(name), 1
        while copy.exists():
            number += 1
            copy = self.path.with_name(f"{name}-{number}")
        shutil.copyfile(self.path, copy)
        self._kept_copy = True

    def _scan(self, size: int) -> int:
        """Note what the file holds; return where its last whole record ends."""
        window, base, at = b"", 0, 0
        while at < size:
            if at + _HEADER.size > size:
                return at
            if not base <= at <= base + len(window) - _HEADER.size:
                window, base = os.pread(self._descriptor, _CHUNK, at), at
            (length,) = _HEADER.unpack_from(window, at - base)
            following = at + _HEADER.size + length
            if base + len(window) < min(following, size):
                window, base = os.pread(self._descriptor, min(length, size) + _CHUNK, at), at
            body = window[at + _HEADER.size - base : following - base]
            if following > size or not length:
                if _is_cut(length, body, window[at - base :]):
                    return at
                raise ValueError(f"there is no record at byte {at:,}")
            point = point_of(body)
            if point is not None:
                self._earlier.setdefault(point.series, _Points()).add(point.step, at)
            at = following
        return at


class _Points:
    """Steps of a series, and where its records begin; an object of Python each would be large."""

    def __init__(self) -> None:
        self.steps = array("q")
        self.places = array("q")

    def add(self, step: int, place: int) -> None:
        self.steps.append(step)
        self.places.append(place)


def open_in(folder: Path, suffix: str) -> RecordFile:
    """Open the newest file of a folder that nobody writes, or make one.

    A file that holds something else than records is left alone.

    Args:
        folder: exists.
        suffix: what the names of files end with, after `.log`.

    Raises:
        OSError: no file can be made there.

    Effects:
        A record that is cut at the end of the file is taken off.
    """
    names = sorted((name for name in os.listdir(folder) if "vdlrecords" in name), reverse=True)
    numbers = {name: number for name in names if (number := _number_of(name, suffix)) is not None}
    for name in numbers:
        found = _open_unless_foreign(folder / name)
        if found is not None:
            return found
    number = max([int(time.time()), *(each + 1 for each in numbers.values())])
    while True:
        path = folder / f"vdlrecords.{number:010d}.log{suffix}"
        try:
            return RecordFile(path, _locked(path, os.O_CREAT | os.O_EXCL))
        except (FileExistsError, BlockingIOError):
            number += 1


def open_named(path: Path) -> RecordFile:
    """Open this file, or make it.

    Raises:
        RunError: another writer has it, or it holds something else than records.
        OSError: the system refuses.

    Effects:
        A record that is cut at the end of the file is taken off.
    """
    try:
        descriptor = _locked(path, os.O_CREAT)
    except BlockingIOError:
        raise RunError(
            f"{path} is being written by another `LogWriter`: wait for it, or give this one "
            "another `file_name` or `logdir`."
        ) from None
    try:
        return RecordFile(path, descriptor)
    except ValueError as error:
        os.close(descriptor)
        raise RunError(
            f"{path} cannot be gone on with, {error}: move it away, or choose another `file_name`."
        ) from None


def _open_unless_foreign(path: Path) -> RecordFile | None:
    try:
        descriptor = _locked(path, 0)
    except OSError:
        return None
    try:
        return RecordFile(path, descriptor)
    except (ValueError, OSError):
        os.close(descriptor)
        return None


def _locked(path: Path, flags: int) -> int:
    # O_NONBLOCK: what has the name of a file may be a pipe
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK | flags, 0o666)
    try:
        # not a lock of the process, which ends when any part of it closes the file after reading
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if flags & os.O_EXCL and not isinstance(error, BlockingIOError):
            # a file system without locks; nobody can take a new file for one that is left
            return descriptor
        os.close(descriptor)
        raise
    return descriptor


def _number_of(name: str, suffix: str) -> int | None:
    """Return the time in the name of a file of this suffix."""
    start, end = "vdlrecords.", f".log{suffix}"
    number = name[len(start) : len(name) - len(end)]
    whole = name == start + number + end
    return int(number) if whole and number.isascii() and number.isdecimal() else None


def _is_cut(length: int, body: bytes, rest: bytes) -> bool:
    """Return whether a file ends with the beginning of a record, or with what a crash leaves."""
    if not length:
        return not rest.strip(b"\0")
    return length < _LARGEST and body[:1] in (b"", b"\x0a")


def _void(size: int) -> bytes:
    """Return a void that takes `size` bytes of a file."""
    length = size - _HEADER.size
    return _HEADER.pack(length) + void_head(length) + bytes(length - VOID_HEAD)


def _leave_to_parent() -> None:
    """Close the files in a forked process: the parent goes on writing, and holds the locks."""
    for file in list(_open):
        file.close()


os.register_at_fork(after_in_child=_leave_to_parent)
