"""Read members of the archives in which data sets come, without unpacking them.

Nothing is ever written where an archive says: members are read in memory, as plain files only, and
a pickle among them goes through `checkpoint.pickle_reader`, which runs nothing. Whatever is wrong
with an archive is a `DataError` that names it.
May import: refluid.checkpoint, refluid.errors.
"""

from __future__ import annotations

import contextlib
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, BinaryIO, cast

from refluid.checkpoint import pickle_reader
from refluid.errors import CheckpointError, DataError

__all__ = ["Tar", "damage_named", "lines_of_zip", "open_tar", "read_pickle"]

_DAMAGE = (
    OSError,
    EOFError,
    RuntimeError,  # of zipfile, for what is encrypted or packed in an unknown way
    UnicodeDecodeError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


class Tar:
    """A tar archive that is open for reading; made by `open_tar`."""

    def __init__(self, path: str, tar: tarfile.TarFile) -> None:
        self.path = path
        self._tar = tar

    def __iter__(self) -> Iterator[tarfile.TarInfo]:
        """Yield the members that are plain files, in the order in which they lie in the archive."""
        # a sparse member may claim any number of zeros that are not in the file
        return (member for member in self._tar if member.isreg() and not member.issparse())

    def open(self, member: tarfile.TarInfo | str) -> IO[bytes]:
        """Return a member as a file of bytes.

        Args:
            member: what iterating gave, or a name.

        Raises:
            DataError: the archive has no plain file of that name.
        """
        if isinstance(member, str):
            found = next((each for each in self if each.name == member), None)
            if found is None:
                raise DataError(f"{self.path} has no file {member!r}: it is another archive.")
            member = found
        file = self._tar.extractfile(member)
        assert file is not None  # it is a plain file
        return file

    def read(self, member: tarfile.TarInfo | str) -> bytes:
        """Return all bytes of a member; raises as `open` does."""
        with self.open(member) as file:
            return file.read()


@contextlib.contextmanager
def open_tar(path: str) -> Iterator[Tar]:
    """Open a tar archive, compressed or not, for the block.

    Raises:
        DataError: it is not there, or turns out damaged while it is read within the block.
    """
    with damage_named(path), tarfile.open(path, mode="r") as tar:
        yield Tar(path, tar)


@contextlib.contextmanager
def damage_named(path: str) -> Iterator[None]:
    """Turn what Python's readers of archives raise within the block into a `DataError`."""
    try:
        yield
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path} cannot be read: {reason}. Fetch it again.") from error


def lines_of_zip(path: str, member: str, encoding: str) -> Iterator[str]:
    """Yield the lines of a text in a zip archive, without white space around them.

    Raises:
        DataError: the archive is damaged or has no such member.
    """
    with damage_named(path), zipfile.ZipFile(path) as package:
        try:
            file = package.open(member)
        except KeyError:
            raise DataError(f"{path} has no file {member!r}: it is another archive.") from None
        with file, io.TextIOWrapper(file, encoding, newline="\n") as text:
            yield from map(str.strip, text)


def read_pickle(open_file: Callable[[], IO[bytes]], name: str) -> Any:
    """Read a pickle of dictionaries, lists, arrays and numbers; nothing in it is run.

    Args:
        open_file: opens the file.
        name: what to call it in an error.

    Raises:
        DataError: it is damaged, or refers to anything else.
    """
    with damage_named(name), open_file() as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        try:
            return pickle_reader.load(cast("BinaryIO", file), size)
        except CheckpointError as error:
            raise DataError(f"{name} is not the pickle it should be: {error}.") from None
