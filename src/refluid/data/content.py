"""A hash of what a batch holds, cheap enough to take of every batch that is trained on.

It tells whether a replay gives what was given before. It guards against programs that draw other
numbers or read other files, not against forgery: so a large array goes through one multiplication
a word, modulo 2**64, ten times as fast as through BLAKE2b; of one over a mebibyte pieces are taken.
May import: torch, numpy.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["Content"]

_WHOLE_BYTES = 1 << 20
_PIECES, _PIECE_BYTES = 256, 1 << 12  # of a larger array; together as much as the largest whole one
_BLOCK = 1 << 8  # words that are added up together; less than that goes through BLAKE2b
_MAX_ITEMS = 16  # of a list; evenly spaced if it is longer
_MAX_DEPTH = 16


class Content:
    """What a batch held when this was made.

    Args:
        batch: tensors, arrays, numbers, text, bytes, and sequences, mappings or dataclasses of
            such. Of anything else only the class counts.

    Attributes:
        digest: 16 bytes that are the same for the same content.
        opaque: the names of the classes whose objects could not be looked into.
        places: where in memory the batch lies, as far as it can be written to.
    """

    def __init__(self, batch: Any) -> None:
        self.opaque: set[str] = set()
        self.places: set[int] = set()
        self._parts: list[bytes] = []
        self._add(batch, 0)
        self.digest = hashlib.blake2b(b"".join(self._parts), digest_size=16).digest()

    def _add(self, value: Any, depth: int) -> None:
        if isinstance(value, torch.Tensor):
            self._add_tensor(value)
        elif isinstance(value, np.ndarray):
            self._add_array(value)
        elif value is None or isinstance(value, (bool, int, float, complex, np.generic)):
            self._add_number(value)
        elif isinstance(value, str):
            self._add_text(value, value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, (bytes, bytearray, memoryview)):
            self._add_text(value, bytes(value))
        elif depth == _MAX_DEPTH:
            self._add_opaque(value)
        elif isinstance(value, Mapping):
            self._add_items(value, list(value.items()), depth)
        elif isinstance(value, Sequence):
            self._add_items(value, value, depth)
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [getattr(value, field.name) for field in dataclasses.fields(value)]
            self._add_items(value, fields, depth)
        else:
            self._add_opaque(value)

    def _add_number(self, value: Any) -> None:
        # hexadecimal, since Python refuses to write long integers in decimals
        text = format(value, "x") if type(value) is int else repr(value)
        self._add_text(value, text.encode())

    def _add_items(self, value: Any, items: Sequence[Any], depth: int) -> None:
        self.places.add(id(value))
        count = len(items)
        self._tag(value, count)
        chosen = range(count)
        if count > _MAX_ITEMS:
            chosen = [k * (count - 1) // (_MAX_ITEMS - 1) for k in range(_MAX_ITEMS)]
        for k in chosen:
            self._add(items[k], depth + 1)

    def _add_tensor(self, tensor: torch.Tensor) -> None:
        tensor = tensor.detach()
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_nested:
            self._add_opaque(tensor)
            return
        self.places.add(tensor.data_ptr())
        self._tag(tensor, f"{tensor.dtype}{list(tensor.shape)}")
        flat = tensor.resolve_conj().resolve_neg().contiguous().reshape(-1).view(torch.uint8)
        if flat.device.type != "cpu":
            flat = _pieces(flat).cpu()
        self._add_bytes(flat.numpy())

    def _add_array(self, array: NDArray[Any]) -> None:
        if array.dtype.hasobject:
            self._add_opaque(array)
            return
        self.places.add(array.__array_interface__["data"][0])
        self._tag(array, f"{array.dtype.str}{array.shape}")
        if array.nbytes:
            self._add_bytes(np.ascontiguousarray(array).reshape(-1).view(np.uint8))

    def _add_bytes(self, flat: NDArray[np.uint8]) -> None:
        flat = _pieces(flat)
        whole = flat.size - flat.size % (8 * _BLOCK)
        if whole:
            words = flat[:whole].view(np.uint64).reshape(-1, _BLOCK)
            self._parts.append(np.einsum("ij,j->i", words, _weights()).tobytes())
        self._parts.append(flat[whole:].tobytes())

    def _add_text(self, value: Any, text: bytes) -> None:
        self._tag(value, len(text))
        self._parts.append(text)

    def _add_opaque(self, value: Any) -> None:
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        self.opaque.add(name.removeprefix("builtins."))
        self._tag(value, "")

    def _tag(self, value: Any, form: object) -> None:
        self._parts.append(f"{type(value).__qualname__} {form};".encode())


def _pieces(flat: Any) -> Any:
    """Return a flat array or tensor of bytes, or evenly spaced pieces of it if it is large."""
    step = len(flat) // _PIECES
    if len(flat) <= _WHOLE_BYTES:
        return flat
    return flat[: step * _PIECES].reshape(_PIECES, step)[:, :_PIECE_BYTES].reshape(-1)


@cache
def _weights() -> NDArray[np.uint64]:
    # odd: then no change of a single word can leave its product as it was
    numbers = np.frombuffer(np.random.RandomState(0).bytes(8 * _BLOCK), "<u8")
    return numbers.astype(np.uint64) | np.uint64(1)
