"""What processes print: whole lines with their rank on the screen, or one file for each.

A launched program's two streams are pipes, read without blocking; a line is written when it is
whole, so that lines of several processes never mix. Of a progress bar, which goes back to the
line's beginning again and again, a terminal shows the end, and so is it here. The last lines that
a process wrote are kept, for the report of its failure.
May import: nothing of refluid.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

__all__ = ["LineWriter", "Tail", "error_lines", "read_tail"]

# a line of this length is written although its end has not come
_LONGEST = 1 << 16
_KEPT = 400
_READ = 1 << 16
_WITHOUT_TRACEBACK = 20
_OF_TORCH = re.compile(rb"^\[rank\d+\]: ?")
_TRACEBACK = b"Traceback (most recent call last):"
# what stands between two tracebacks of one error
_CHAINED = (
    b"During handling of the above exception",
    b"The above exception was the direct cause",
)


class Tail:
    """The last lines that a process wrote."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=_KEPT)

    def add(self, line: bytes) -> None:
        """Keep a line, without its end."""
        self._lines.append(line)

    def lines(self) -> list[bytes]:
        """Return the lines that are kept, the oldest first."""
        return list(self._lines)


class LineWriter:
    """Writes one stream of a process, line by line, each with the rank before it.

    Args:
        source: descriptor of the pipe's reading end; it is made non-blocking.
        target: where the lines go.
        prefix: what stands before each.
        tail: keeps them too, if given.
    """

    def __init__(self, source: int, target: BinaryIO, prefix: bytes, tail: Tail | None) -> None:
        os.set_blocking(source, False)
        self.source = source
        self._target = target
        self._prefix = prefix
        self._tail = tail
        self._begun = b""

    def copy(self) -> bool:
        """Write what has come; return whether more can come.

        Raises:
            BrokenPipeError: nobody reads the target any more.
        """
        while True:
            try:
                chunk = os.read(self.source, _READ)
            except BlockingIOError:
                return True
            if not chunk:
                self._write(*self._split(b"\n" if self._begun else b""))
                return False
            self._write(*self._split(chunk))

    def _split(self, chunk: bytes) -> list[bytes]:
        *whole, self._begun = (self._begun + chunk).split(b"\n")
        if len(self._begun) > _LONGEST:
            whole.append(self._begun)
            self._begun = b""
        return [_plain(line.rstrip(b"\r").rsplit(b"\r", 1)[-1]) for line in whole]

    def _write(self, *lines: bytes) -> None:
        if not lines:
            return
        if self._tail is not None:
            for line in lines:
                self._tail.add(line)
        self._target.write(b"".join(self._prefix + line + b"\n" for line in lines))
        self._target.flush()


def read_tail(path: Path, begin: int) -> list[bytes]:
    """Return the last lines of a log file, none from before byte `begin`."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(begin, end - _LONGEST))
            return [_plain(line) for line in file.read().splitlines()[-_KEPT:]]
    except OSError:
        return []


def _plain(line: bytes) -> bytes:
    """Take away the rank that torch writes before each line of a traceback."""
    return _OF_TORCH.sub(b"", line)


def error_lines(lines: Sequence[bytes]) -> list[bytes]:
    """Return what says why a process failed: its last traceback, or else its last lines."""
    starts = [k for k, line in enumerate(lines) if line.startswith(_TRACEBACK)]
    while starts:
        start = starts.pop()
        if not any(line.startswith(_CHAINED) for line in _before(lines, start)):
            return list(lines[start:])
    return list(lines[-_WITHOUT_TRACEBACK:])


def _before(lines: Sequence[bytes], index: int) -> Iterator[bytes]:
    """Yield the last line before `index` that is not empty, if there is one."""
    for line in reversed(lines[:index]):
        if line.strip():
            yield line
            return
