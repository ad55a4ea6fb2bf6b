"""Tensors as one array of bytes, and back: what trainers and servers send each other.

One array for each message costs Ray one copy, whatever the number of tensors; bytes, as NumPy has
no name for some of torch's types.
May import: torch, numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

__all__ = ["Buffer", "Spec", "pack", "plain", "spec_of", "unpack"]

Buffer = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Spec:
    """What a parameter is, apart from its values.

    Args:
        name: as the model calls it.
        shape: its sizes.
        dtype: torch's name of its type, such as `float32`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def num_bytes(self) -> int:
        """How many bytes its values take."""
        return int(np.prod(self.shape, dtype=np.int64)) * getattr(torch, self.dtype).itemsize

    def __str__(self) -> str:
        return f"{self.name} {self.dtype} {list(self.shape)}"


def plain(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor of torch's own class with the same memory and no history.

    A variable of fluid has other ideas of its `shape` and `dtype`.
    """
    return tensor.detach().as_subclass(torch.Tensor)


def spec_of(name: str, tensor: torch.Tensor) -> Spec:
    """Return what a plain tensor is."""
    return Spec(name, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))


def pack(tensors: Sequence[torch.Tensor]) -> Buffer:
    """Return copies of dense tensors of any device, one after the other."""
    parts = [_bytes_of(plain(tensor)) for tensor in tensors]
    if not parts:
        return np.empty(0, np.uint8)
    return np.concatenate(parts)


def _bytes_of(tensor: torch.Tensor) -> Buffer:
    return tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def unpack(buffer: Buffer, specs: Sequence[Spec]) -> Iterator[torch.Tensor]:
    """Give the tensors that were packed, which share no memory with `buffer`.

    Args:
        buffer: what `pack` returned.
        specs: what the tensors are, in the same order.

    Raises:
        ValueError: the buffer has another number of bytes than these tensors.
    """
    expected = sum(spec.num_bytes for spec in specs)
    if buffer.nbytes != expected:
        raise ValueError(f"`buffer` must have {expected} bytes, but has {buffer.nbytes}.")
    # Ray's arrays lie in shared memory and cannot be written
    whole = torch.from_numpy(np.array(buffer, np.uint8))
    begin = 0
    for spec in specs:
        end = begin + spec.num_bytes
        dtype = getattr(torch, spec.dtype)
        # a slice may begin where its type may not
        part = whole[begin:end] if begin % dtype.itemsize == 0 else whole[begin:end].clone()
        yield part.view(dtype).reshape(spec.shape)
        begin = end
