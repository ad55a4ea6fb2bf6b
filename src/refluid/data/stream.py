"""A data file as a stream of bytes, compressed or not, with every reading error in one form.

Whether a file is compressed is told by its first bytes, not by its name. Only what is asked for is
decompressed, so a small file that unpacks to a huge one does no harm.
May import: errors.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from refluid.errors import DataError

__all__ = ["DataStream", "Progress"]

Progress = Callable[[float], None]
"""Is told how much of the work is done, from 0 to 1."""

_CHUNK_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


class DataStream:
    """A file opened for reading; gzip is unpacked on the way.

    Raises:
        DataError: it cannot be opened, or (while reading) its compression is damaged or cut.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
            self._size_bytes = path.stat().st_size
            packed = self._file.read(2) == _GZIP_MAGIC
            self._file.seek(0)
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
        self._bytes = gzip.GzipFile(fileobj=self._file) if packed else self._file

    def read(self, num_bytes: int) -> bytes:
        """Return the next `num_bytes` bytes, or fewer where the file ends."""
        # piece by piece: a file's own word for its size is not yet a reason to allocate as much
        chunks = []
        while num_bytes and (chunk := self._read_once(min(num_bytes, _CHUNK_BYTES))):
            chunks.append(chunk)
            num_bytes -= len(chunk)
        return b"".join(chunks)

    def _read_once(self, num_bytes: int) -> bytes:
        try:
            return self._bytes.read(num_bytes)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(
                f"{self.path} is damaged or cut off: {error}. Expected a whole gzip file; "
                "fetch it again."
            ) from None

    def fraction(self) -> float:
        """Return how much of the file has been read, from 0 to 1."""
        return self._file.tell() / max(self._size_bytes, 1)

    def __enter__(self) -> DataStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bytes.close()
        self._file.close()
