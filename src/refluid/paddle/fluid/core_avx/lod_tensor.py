"""`LoDTensor` and `LoDTensorArray`: arrays that carry the lengths of the sequences laid end to end.

Paddle's static graph computes with them. Here they are containers that readers and programs pass
about: a loader takes them as arrays, and no operator looks at the lengths.

A level of LoD is given by lengths, as in [2, 3], or kept by offsets, as in [0, 2, 5].
May import: torch, numpy, core_avx.dtype, error, place, text.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import torch

from refluid.paddle.fluid.core_avx.dtype import VarType, to_var_type
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.place import CPUPlace, Place
from refluid.paddle.fluid.core_avx.text import tensor_text

__all__ = ["LoDTensor", "LoDTensorArray"]

Levels = list[list[int]]


class LoDTensor:
    """An array and the lengths of the sequences in it, level by level.

    Same as Paddle 1.8; the array stays in the host's memory whatever its place.

    Args:
        recursive_sequence_lengths: lengths of sequences, which here may fit anything.

    Raises:
        TypeError: it is not a list of lists of numbers from 0.
    """

    __module__ = "paddle.fluid.core_avx"

    def __init__(self, recursive_sequence_lengths: Iterable[Iterable[int]] = ()) -> None:
        self._array: np.ndarray | None = None
        self._lod = _offsets(_levels("recursive_sequence_lengths", recursive_sequence_lengths))
        self._where: Place = CPUPlace()

    def set(self, array: Any, place: Place) -> None:
        """Take a copy of an array; the lengths stay as they are.

        Args:
            array: an array, or what can be made one, of booleans or numbers.
            place: where it is said to live.

        Raises:
            EnforceNotMet: Paddle has no such element type.
            TypeError: `place` is not a place.
        """
        if not isinstance(place, Place):
            raise TypeError(
                f"`place` must be a place such as fluid.CPUPlace(), but received {place!r}."
            )
        copied = np.array(array)
        try:
            to_var_type(copied.dtype)
        except TypeError as error:
            raise EnforceNotMet(f"LoDTensor.set: {error}") from None
        self._array, self._where = copied, place

    def shape(self) -> list[int]:
        """Return the sizes, [0] before `set`."""
        return [0] if self._array is None else list(self._array.shape)

    def lod(self) -> Levels:
        """Return the offsets of the sequences, level by level."""
        return [list(level) for level in self._lod]

    def set_lod(self, lod: Iterable[Iterable[int]]) -> None:
        """Set the offsets of the sequences.

        Raises:
            EnforceNotMet: they do not fit each other or the first dimension.
            TypeError: `lod` is not a list of lists of numbers from 0.
        """
        self._lod = self._fitting("lod", _levels("lod", lod))

    def recursive_sequence_lengths(self) -> Levels:
        """Return the lengths of the sequences, level by level."""
        return [[end - start for start, end in pairwise(level)] for level in self._lod]

    def set_recursive_sequence_lengths(
        self, recursive_sequence_lengths: Iterable[Iterable[int]]
    ) -> None:
        """Set the lengths of the sequences.

        Raises:
            EnforceNotMet: they do not fit each other or the first dimension.
            TypeError: `recursive_sequence_lengths` is not a list of lists of numbers from 0.
        """
        name = "recursive_sequence_lengths"
        self._lod = self._fitting(name, _offsets(_levels(name, recursive_sequence_lengths)))

    def has_valid_recursive_sequence_lengths(self) -> bool:
        """Return whether the lengths fit each other and the first dimension."""
        return _fit(self._lod, self.shape())

    def _fitting(self, name: str, lod: Levels) -> Levels:
        if not _fit(lod, self.shape()):
            raise EnforceNotMet(
                f"LoDTensor: `{name}` means the offsets {lod}, which do not fit each other or the "
                f"shape {self.shape()}: the last of a level must be the number of sequences below "
                "it, or of rows."
            )
        return lod

    def _is_initialized(self) -> bool:
        return self._array is not None

    def _dtype(self) -> VarType:
        return to_var_type(self._value().dtype)

    def _place(self) -> Place:
        return self._where

    def _get_float_element(self, index: int) -> float:
        return float(self._value().ravel()[index])

    def _get_dims(self) -> list[int]:
        return self.shape()

    def _value(self) -> np.ndarray:
        if self._array is None:
            raise EnforceNotMet("the LoDTensor is empty: set(array, place) it first.")
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array([] if self._array is None else self._array, dtype)

    def __getitem__(self, index: int | slice | tuple[int | slice, ...]) -> LoDTensor:
        """Return a part as a LoDTensor without lengths; an int keeps its dimension, of size 1.

        Raises:
            IndexError: a number is out of range.
        """
        value, indices = self._value(), index if isinstance(index, tuple) else (index,)
        part = LoDTensor()
        part.set(value[tuple(map(_as_slice, indices, value.shape))], self._where)
        return part

    def __str__(self) -> str:
        return tensor_text(torch.from_numpy(self._value()), self._lod)

    def _shared(self) -> LoDTensor:
        """Return another LoDTensor of the same array."""
        other = LoDTensor()
        other._array, other._lod, other._where = self._array, self.lod(), self._where
        return other


class LoDTensorArray:
    """A list of LoDTensors that holds its own copies of the lengths.

    Same as Paddle 1.8.
    """

    __module__ = "paddle.fluid.core_avx"

    def __init__(self) -> None:
        self._items: list[LoDTensor] = []

    def append(self, tensor: LoDTensor) -> None:
        """Add a tensor at the end.

        Raises:
            TypeError: it is not a LoDTensor.
        """
        self._items.append(_checked(tensor))

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> LoDTensor:
        return self._items[_number(index)]

    def __setitem__(self, index: int, tensor: LoDTensor) -> None:
        self._items[_number(index)] = _checked(tensor)

    def _move_to_list(self) -> list[LoDTensor]:
        items, self._items = self._items, []
        return items


def _levels(name: str, value: Any) -> Levels:
    """Return `value` as lists of ints; raise TypeError if it is nothing of the kind."""
    if isinstance(value, (list, tuple)) and all(isinstance(v, (list, tuple)) for v in value):
        numbers = [number for level in value for number in level]
        if all(isinstance(n, (int, np.integer)) and n >= 0 for n in numbers):
            return [[int(number) for number in level] for level in value]
    raise TypeError(f"`{name}` must be a list of lists of ints from 0, but received {value!r}.")


def _offsets(lengths: Levels) -> Levels:
    return [list(accumulate(level, initial=0)) for level in lengths]


def _fit(lod: Levels, shape: list[int]) -> bool:
    """Return whether offsets rise from 0 to the number of what is below them."""
    below = [len(level) - 1 for level in lod[1:]] + shape[:1]
    return all(
        len(level) > 1 and level[0] == 0 and level == sorted(level) and level[-1] == size
        for level, size in zip(lod, below, strict=False)
    )


def _as_slice(index: Any, size: int) -> slice:
    if isinstance(index, slice):
        return index
    start = int(index)
    if not -size <= start < size:
        raise IndexError(f"the index {start} is out of range for a dimension of size {size}.")
    return slice(start % size, start % size + 1)


def _checked(tensor: Any) -> LoDTensor:
    if not isinstance(tensor, LoDTensor):
        raise TypeError(f"a LoDTensorArray holds LoDTensors, but received {type(tensor).__name__}.")
    return tensor._shared()


def _number(index: Any) -> int:
    if not isinstance(index, int) or index < 0:
        raise TypeError(f"a LoDTensorArray is indexed by an int from 0, but received {index!r}.")
    return index
