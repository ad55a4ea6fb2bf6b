"""`BatchSampler`: which samples make up each batch. May import: numpy, dataloader.dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from refluid.paddle.fluid.dataloader.dataset import Dataset

__all__ = ["BatchSampler"]


class BatchSampler:
    """Give lists of `batch_size` sample numbers.

    Differs from Paddle: `indices` is copied, so the given list keeps its order, and a tuple can
    be shuffled too. The order is Paddle's for the same `np.random.seed`.

    Args:
        dataset: take the numbers of all its samples.
        indices: take these numbers; either this or `dataset`.
        shuffle: shuffle at the start of each iteration, beginning from the order before.
        batch_size: how many numbers a list has.
        drop_last: leave out the last list if it is shorter.

    Raises:
        AssertionError: both or neither of `dataset` and `indices`, or an argument of another type.
    """

    def __init__(
        self,
        dataset: Dataset | None = None,
        indices: Sequence[int] | None = None,
        shuffle: bool = False,
        batch_size: int = 1,
        drop_last: bool = False,
    ) -> None:
        if dataset is None:
            assert indices is not None, "either `dataset` or `indices` should be set."
            assert isinstance(indices, (list, tuple)), (
                f"`indices` should be a list or tuple, but received {type(indices).__name__}."
            )
            self.indices = list(indices)
        else:
            assert isinstance(dataset, Dataset), (
                "`dataset` should be an instance of fluid.io.Dataset, "
                f"but received {type(dataset).__name__}."
            )
            assert indices is None, "`dataset` and `indices` should not both be set."
            self.indices = list(range(len(dataset)))
        is_size = isinstance(batch_size, int) and batch_size > 0
        assert is_size, f"`batch_size` should be a positive integer, but received {batch_size!r}."
        assert isinstance(shuffle, bool), (
            f"`shuffle` should be True or False, but received {shuffle!r}."
        )
        assert isinstance(drop_last, bool), (
            f"`drop_last` should be True or False, but received {drop_last!r}."
        )
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        if self.shuffle:
            np.random.shuffle(self.indices)
        for start in range(0, len(self.indices), self.batch_size):
            batch = self.indices[start : start + self.batch_size]
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.indices), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)
