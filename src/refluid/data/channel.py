"""What passes between a process and its worker: items, an error, or the end.

An item is pickled. Its large arrays travel beside it through an anonymous file in memory whose
descriptor is handed over the connection: a worker can run any amount ahead without waiting for the
reader, and nothing has a name, so nothing is left in /dev/shm whichever process is killed. The
receiver reads it into memory of its own and closes it; mapping it would hold one descriptor for
each batch that a program keeps.
May import: numpy.
"""

from __future__ import annotations

import os
import pickle
import traceback
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

__all__ = ["END", "receive", "send", "send_end", "send_error"]

END: Any = type("End", (), {"__repr__": lambda self: "END"})()

_ITEM, _SHARED, _ERROR, _END = b"i", b"s", b"e", b"."
_SHARE_FROM_BYTES = 1 << 16  # below, one message costs less than a file


class _WorkerTraceback(Exception):
    """The traceback of another process, as text: the cause of the error raised in this one."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


def send(connection: Connection, item: Any, share: bool) -> None:
    """Send one item.

    Args:
        connection: to the other process, which has to be the parent of this one if `share`.
        item: anything that can be pickled.
        share: pass large arrays through shared memory, on Linux.
    """
    if share and hasattr(os, "memfd_create"):
        buffers: list[pickle.PickleBuffer] = []
        data = pickle.dumps(item, protocol=5, buffer_callback=buffers.append)
        arrays = [buffer.raw() for buffer in buffers]
        if sum(array.nbytes for array in arrays) >= _SHARE_FROM_BYTES:
            _send_shared(connection, data, arrays)
            return
    connection.send_bytes(_ITEM + pickle.dumps(item, protocol=5))


def send_end(connection: Connection) -> None:
    """Say that nothing follows."""
    connection.send_bytes(_END)


def send_error(connection: Connection, error: BaseException) -> None:
    """Send an error with the text of its traceback, to be raised by the receiver."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    try:
        pickled = pickle.dumps(error, protocol=5)
    except Exception:  # some errors hold locks, files or frames: their text has to do
        pickled = None
    connection.send_bytes(_ERROR + pickle.dumps((pickled, text), protocol=5))


def receive(connection: Connection) -> Any:
    """Return the next item, or `END`.

    Raises:
        BaseException: what the other process sent as its error.
        EOFError: the other process is gone.
    """
    message = connection.recv_bytes()
    kind, body = message[:1], memoryview(message)[1:]
    if kind == _ITEM:
        return pickle.loads(body)
    if kind == _SHARED:
        data, sizes = pickle.loads(body)
        return pickle.loads(data, buffers=_receive_arrays(connection, sizes))
    if kind == _ERROR:
        raise _rebuild(*pickle.loads(body))
    return END


def _send_shared(connection: Connection, data: bytes, arrays: list[memoryview]) -> None:
    file = os.memfd_create("refluid-batch", os.MFD_CLOEXEC)
    try:
        for array in arrays:
            while array.nbytes:
                array = array[os.write(file, array) :]
        sizes = [array.nbytes for array in arrays]
        connection.send_bytes(_SHARED + pickle.dumps((data, sizes), protocol=5))
        reduction.send_handle(connection, file, os.getppid())
    finally:
        os.close(file)


def _receive_arrays(connection: Connection, sizes: list[int]) -> list[np.ndarray]:
    arrays = [np.empty(size, np.uint8) for size in sizes]
    file = reduction.recv_handle(connection)
    try:
        offset = 0
        for array in arrays:
            rest = array.data
            while rest.nbytes:
                count = os.preadv(file, [rest], offset)
                offset, rest = offset + count, rest[count:]
    finally:
        os.close(file)
    return arrays


def _rebuild(pickled: bytes | None, text: str) -> BaseException:
    error = None
    if pickled is not None:
        try:
            error = pickle.loads(pickled)
        except Exception:  # its class cannot be made from its own arguments
            error = None
    if not isinstance(error, BaseException):
        error = RuntimeError(f"a worker process failed: {text.strip().splitlines()[-1]}")
    error.__cause__ = _WorkerTraceback(text)
    return error
