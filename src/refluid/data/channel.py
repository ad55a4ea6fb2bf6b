"""What passes between a process and its worker: items, an error, or the end.

An item is pickled. Its large arrays and tensors travel beside it through an anonymous file in
memory whose descriptor is handed over the connection: a worker can run any amount ahead without
waiting for the reader, and nothing has a name, so nothing is left in /dev/shm whichever process is
killed. The receiver reads it into memory of its own and closes it; mapping it would hold one
descriptor for each batch that a program keeps.

What is received lies where torch itself would have put it, at a multiple of 64 bytes: the last bits
of a matrix product can depend on that, and must not depend on who made the batch.
May import: numpy, torch.
"""

from __future__ import annotations

import io
import os
import pickle
import traceback
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch

__all__ = ["END", "receive", "send", "send_end", "send_error"]

END: Any = type("End", (), {"__repr__": lambda self: "END"})()

_ITEM, _SHARED, _ERROR, _END = b"i", b"s", b"e", b"."
_SHARE_FROM_BYTES = 1 << 16  # below, one message costs less than a file


class _WorkerTraceback(Exception):
    """The traceback of another process, as text: the cause of the error raised in this one."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


class _Pickler(pickle.Pickler):
    """Lays the bytes of plain tensors beside the pickle, as those of arrays are."""

    def reducer_override(self, obj: Any) -> Any:
        # torch's own way copies the storage through a file format of its own
        if type(obj) is torch.Tensor and _is_plain(obj):
            return _tensor_of, (
                pickle.PickleBuffer(_bytes_of(obj).data),
                obj.dtype,
                tuple(obj.shape),
            )
        return NotImplemented


def _is_plain(tensor: torch.Tensor) -> bool:
    return (
        tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and not (tensor.requires_grad or tensor.is_conj() or tensor.is_neg())
        and not (tensor.is_quantized or tensor.is_nested)
    )


def _bytes_of(tensor: torch.Tensor) -> np.ndarray:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy()


def _tensor_of(data: Any, dtype: torch.dtype, shape: tuple[int, ...]) -> torch.Tensor:
    if not len(data):
        return torch.empty(shape, dtype=dtype)
    flat = torch.from_numpy(data) if isinstance(data, np.ndarray) else _copied(data)
    return flat.view(dtype).reshape(shape)


def _copied(data: bytes | bytearray) -> torch.Tensor:
    array = _aligned(len(data))
    array[:] = np.frombuffer(data, np.uint8)
    return torch.from_numpy(array)


def _aligned(size: int) -> np.ndarray:
    return torch.empty(size, dtype=torch.uint8).numpy()


def _dumps(item: Any, aside: list[pickle.PickleBuffer] | None = None) -> bytes:
    file = io.BytesIO()
    _Pickler(file, protocol=5, buffer_callback=None if aside is None else aside.append).dump(item)
    return file.getvalue()


def send(connection: Connection, item: Any, share: bool) -> None:
    """Send one item.

    Args:
        connection: to the other process, which has to be the parent of this one if `share`.
        item: anything that can be pickled.
        share: pass large arrays and tensors through shared memory, on Linux.
    """
    if share and hasattr(os, "memfd_create"):
        buffers: list[pickle.PickleBuffer] = []
        data = _dumps(item, aside=buffers)
        arrays = [buffer.raw() for buffer in buffers]
        if sum(array.nbytes for array in arrays) >= _SHARE_FROM_BYTES:
            _send_shared(connection, data, arrays)
            return
    connection.send_bytes(_ITEM + _dumps(item))


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
    arrays = [_aligned(size) for size in sizes]
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
