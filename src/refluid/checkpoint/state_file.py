"""Paddle 1.8's `.pdparams` and `.pdopt` files: a pickled dictionary of arrays.

Paddle's own files carry no checksum: a damaged byte among an array's values is a different value,
and nobody can tell. Files written here carry the SHA-256 of what stands before it, as a text that
the pickle pushes and drops again before its end, so every reader of pickles, Paddle included,
passes over it. Reading checks it where it is there.

    PROTO 2, dictionary ..., BINUNICODE "refluid.sha256:" + 64 hexadecimal digits, POP, STOP

May import: errors, atomic, pickle_reader, pickle_writer.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from typing import Any, BinaryIO

from refluid.checkpoint import pickle_reader, pickle_writer
from refluid.checkpoint.atomic import replacing
from refluid.errors import CheckpointError

__all__ = ["read_state", "write_state"]

_MARKER = "refluid.sha256:"
_END = b"0."  # POP, STOP
_SEAL_BYTES = len(pickle_writer.text(_MARKER + "0" * 64) + _END)
_NOTE = re.compile(rb"refluid\.sha256:[0-9a-f]{64}(?=0\.\Z)")
_PIECE_BYTES = 1 << 20

# How other files begin that people take for checkpoints
_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive, as torch.save and numpy.savez write",
    b"\x1f\x8b": "a gzip file",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy .npy file",
    b"\x00\x00\x00\x00": "a variable saved by Paddle's static graph",
}


def read_state(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint file that Paddle or refluid wrote, running nothing in it.

    Understood are pickle protocols 2 to 5 as written by Python 2 and 3, with NumPy 1 and 2.

    Returns:
        The dictionary, in the file's order. Arrays are plain, writable and in native byte order;
        strings of Python 2 are decoded as latin-1, as Paddle does.

    Raises:
        CheckpointError: the file is missing, cut off, damaged or of another kind, or it holds
            anything but dictionaries with string keys, lists, tuples, arrays, strings, bytes,
            numbers and None. The message names the file and the reason.
    """
    name = os.fspath(path)
    try:
        with _open(name) as file:
            return _read(file, os.fstat(file.fileno()).st_size)
    except CheckpointError as error:
        reason = str(error)
    except OSError as error:
        reason = _reason(error)
    except MemoryError:
        reason = "there is not enough memory for it"
    raise CheckpointError(f"{name} cannot be loaded: {reason}.")


def write_state(path: str | os.PathLike[str], state: Mapping[str, Any]) -> None:
    """Write a checkpoint file that Paddle 1.8 and refluid read, in one step.

    Args:
        path: the file, replaced if it exists. Folders on the way are made.
        state: arrays of booleans and numbers, of any layout; dictionaries with string keys, lists,
            tuples, strings, bytes, numbers and None. OrderedDicts come back as dictionaries.

    Raises:
        TypeError: a part of `state` is of another type.
        ValueError: a part is larger than the format allows (about 4 GB), or is nested too deep.
        CheckpointError: the file cannot be written.

    Effects:
        A kill or power cut at any instant leaves the old file or the new one.
    """
    name = os.fspath(path)
    digest = hashlib.sha256()
    try:
        with replacing(name) as file:
            for piece in pickle_writer.dump(dict(state), "`state`"):
                digest.update(piece)
                file.write(piece)
            file.write(pickle_writer.text(_MARKER + digest.hexdigest()) + _END)
    except OSError as error:
        raise CheckpointError(
            f"{name} cannot be written: {_reason(error)}. A file that was there before is not "
            "damaged; make room or choose another place, and save again."
        ) from error


def _reason(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}"


def _open(name: str) -> BinaryIO:
    # Without O_NONBLOCK, opening a named pipe waits for somebody to write into it
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return open(descriptor, "rb")
    os.close(descriptor)
    raise CheckpointError("it is not a file")


def _read(file: BinaryIO, size: int) -> dict[str, Any]:
    if not size:
        raise CheckpointError("it is empty")
    begin = file.read(8)
    for signature, kind in _FOREIGN.items():
        if begin.startswith(signature):
            raise CheckpointError(f"it is {kind}, not a checkpoint of Paddle's dynamic graph")
    note = _checked_note(file, size)
    file.seek(0)
    state = pickle_reader.load(file, size, note)
    if type(state) is not dict:
        raise CheckpointError(f"it holds a {type(state).__name__}, not a dictionary")
    return state


def _checked_note(file: BinaryIO, size: int) -> str | None:
    """Return the text with the checksum at the end of the file; None if there is none."""
    start = max(size - _SEAL_BYTES, 0)
    file.seek(start)
    found = _NOTE.search(file.read())
    if found is None:
        return None
    digest = hashlib.sha256()
    file.seek(0)
    for _ in range(0, start, _PIECE_BYTES):
        digest.update(file.read(min(_PIECE_BYTES, start - file.tell())))
    note = _MARKER + digest.hexdigest()
    if found[0].decode("ascii") != note:
        raise CheckpointError(
            "it is damaged: its bytes do not match the SHA-256 that it carries. Use another copy "
            "or an earlier checkpoint"
        )
    return note
