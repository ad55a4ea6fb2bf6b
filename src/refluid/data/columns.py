"""Data in memory as columns: tensors whose first dimension counts the samples.

What is taken out is always a copy, as what a DataLoader collates is: a program may change its batch
and the data stay what they are.
Shapes: N samples, B batch.
May import: torch, numpy, errors.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from refluid.errors import DataError

__all__ = ["Columns"]


class Columns:
    """Tensors [N, ...] of one length, in the structure of the data set that they came from.

    Args:
        tensors: at least one.
        build: makes a batch, or a sample, of one part from each tensor.
    """

    def __init__(
        self, tensors: list[torch.Tensor], build: Callable[[list[torch.Tensor]], Any]
    ) -> None:
        self._tensors = tensors
        self._build = build

    @classmethod
    def of(cls, dataset: Any) -> Columns | None:
        """Return the columns of a data set, or None if it is not one of tensors or arrays.

        Args:
            dataset: a tensor or array, or a tuple or dict of them. A tuple's batch is a list, as
                from a DataLoader.

        Raises:
            DataError: a part is not a tensor or array, has no rows, or another number of them.
        """
        if isinstance(dataset, (torch.Tensor, np.ndarray)):
            parts, build = {"`dataset`": dataset}, _only
        elif type(dataset) is tuple:
            parts, build = {f"`dataset[{k}]`": part for k, part in enumerate(dataset)}, _list
        elif type(dataset) is dict:
            parts = {f"`dataset[{name!r}]`": part for name, part in dataset.items()}
            build = partial(_dict, tuple(dataset))
        else:
            return None
        if not parts:
            raise DataError("`dataset` must hold at least one tensor or array, but is empty.")
        tensors = [_tensor_of(name, part) for name, part in parts.items()]
        lengths = {name: len(tensor) for name, tensor in zip(parts, tensors, strict=True)}
        if len(set(lengths.values())) > 1:
            described = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise DataError(f"all parts of `dataset` must have one length, but {described}.")
        if not len(tensors[0]):
            raise DataError("`dataset` must have at least one sample, but is empty.")
        return cls(tensors, build)

    def __len__(self) -> int:
        return len(self._tensors[0])

    def gather(self, indices: NDArray[np.int64]) -> Any:
        """Return the batch of the samples `indices`, int64 [B]."""
        return self._build(self._gathered(indices))

    def rows(self, indices: NDArray[np.int64]) -> Iterator[Any]:
        """Yield the samples `indices`, int64 [B], one at a time."""
        for row in zip(*self._gathered(indices), strict=True):
            yield self._build(list(row))

    def check_can_fork(self) -> None:
        """See to it that workers can read the data.

        Raises:
            DataError: a tensor is on a GPU, which a forked process cannot use.
        """
        for tensor in self._tensors:
            if tensor.device.type != "cpu":
                raise DataError(
                    f"`workers` cannot read tensors on {tensor.device}: move `dataset` to the CPU, "
                    "or use `workers=0`."
                )

    def _gathered(self, indices: NDArray[np.int64]) -> list[torch.Tensor]:
        index = torch.from_numpy(indices)
        return [tensor.index_select(0, index.to(tensor.device)) for tensor in self._tensors]


def _list(values: list[torch.Tensor]) -> list[torch.Tensor]:
    return values


def _dict(names: tuple[Any, ...], values: list[torch.Tensor]) -> dict[Any, torch.Tensor]:
    return dict(zip(names, values, strict=True))


def _only(values: list[torch.Tensor]) -> torch.Tensor:
    return values[0]


def _tensor_of(name: str, part: Any) -> torch.Tensor:
    if isinstance(part, np.ndarray):
        with warnings.catch_warnings():
            # it warns of arrays that cannot be written to, and nothing here writes
            warnings.simplefilter("ignore", UserWarning)
            try:
                # strides that torch cannot have are those of a reversed array
                part = torch.from_numpy(np.ascontiguousarray(part))
            except TypeError as error:
                raise DataError(f"{name} cannot be made a tensor: {error}") from None
    if not isinstance(part, torch.Tensor) or part.ndim == 0:
        raise DataError(
            f"{name} must be a tensor or an array with a row for each sample, but received "
            f"{_described(part)}. A list of samples is taken as it is, without the tuple or dict."
        )
    if part.layout is not torch.strided:
        raise DataError(f"{name} must be a dense tensor, but is {part.layout}: use `to_dense`.")
    # a plain tensor, whatever class the program's own is, and no part of a graph
    return part.detach().as_subclass(torch.Tensor)


def _described(part: Any) -> str:
    return "one number" if isinstance(part, torch.Tensor) else type(part).__name__
