"""The loader behind `DataLoader.from_generator` and `PyReader`.

Paddle defines it in `fluid/reader.py`, from where it is reached. Arrays are copied in the thread
that reads, before the generator goes on: it may use its own arrays again.
May import: refluid.data, refluid.errors, batch, core_avx, dataloader.dataloader_iter.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from refluid.data.thread import read_in_thread
from refluid.data.worker import read_in_workers
from refluid.errors import RefluidWarning
from refluid.paddle.batch import batch
from refluid.paddle.fluid.core_avx import VarBase
from refluid.paddle.fluid.core_avx.tracer import current_place
from refluid.paddle.fluid.dataloader.dataloader_iter import (
    BatchIterator,
    can_have_workers,
    one_place,
    slots_of,
    to_array,
    to_variables,
)

__all__ = ["DataLoaderBase", "DygraphGeneratorLoader", "Reader"]

Reader = Callable[[], Iterable[Any]]


class DataLoaderBase:
    """What loaders have in common: calling one gives the loader itself, to be iterated."""

    def __call__(self) -> DataLoaderBase:
        """Return the loader itself."""
        return self

    def __iter__(self) -> Iterator[list[VarBase]]:
        raise NotImplementedError(f"`__iter__` is not defined in class {type(self).__name__}.")

    def __next__(self) -> list[VarBase]:
        raise NotImplementedError(f"`__next__` is not defined in class {type(self).__name__}.")

    def next(self) -> list[VarBase]:
        """Return the next batch, as `next(loader)` does."""
        return next(self)


class DygraphGeneratorLoader(DataLoaderBase):
    """Give what a generator yields as batches of variables; made by `DataLoader.from_generator`.

    Differs from Paddle: exceptions in the generator are raised as they are, two iterations can go
    on side by side, and leaving one ends its thread or process.

    Args:
        feed_list: accepted; only the static graph needs it.
        capacity: how many batches may be prepared before they are asked for.
        use_double_buffer: accepted; batches are always prepared in the background.
        iterable: must be True; False is changed with a warning.
        return_list: accepted; a batch is always a list.
        use_multiprocess: run the generator in a process of its own.

    Raises:
        ValueError: `capacity` is not a positive number.
    """

    def __init__(
        self,
        feed_list: Sequence[Any] | None = None,
        capacity: int | None = None,
        use_double_buffer: bool = True,
        iterable: bool = True,
        return_list: bool = True,
        use_multiprocess: bool = False,
    ) -> None:
        if not isinstance(capacity, (int, np.integer)) or capacity < 1:
            raise ValueError(f"`capacity` must be a positive integer, but received {capacity!r}.")
        if not iterable:
            warnings.warn(
                "`iterable` is False, but in the dynamic graph a loader can only be iterated.",
                RefluidWarning,
                stacklevel=3,
            )
        self._capacity = int(capacity)
        self._use_multiprocess = can_have_workers(use_multiprocess)
        self._batch_reader: Reader | None = None
        self._place = current_place()
        self._current: Iterator[list[VarBase]] | None = None

    @property
    def queue(self) -> None:
        """None: Paddle's queue of C++ has no counterpart."""
        return None

    @property
    def iterable(self) -> bool:
        """True: in the dynamic graph a loader is iterated."""
        return True

    def __iter__(self) -> BatchIterator:
        assert self._batch_reader is not None, (
            "the data source of this DataLoader is not set yet; call set_sample_generator, "
            "set_sample_list_generator or set_batch_generator."
        )
        source = partial(_arrays, self._batch_reader)
        if self._use_multiprocess:
            arrays = read_in_workers([source], self._capacity)
        else:
            arrays = read_in_thread(source, self._capacity)
        return BatchIterator(to_variables(arrays, self._place))

    def __next__(self) -> list[VarBase]:
        if self._current is None:
            self._current = iter(self)
        try:
            return next(self._current)
        except BaseException:
            self._current = None
            raise

    def set_sample_generator(
        self, reader: Reader, batch_size: int, drop_last: bool = True, places: Any = None
    ) -> DygraphGeneratorLoader:
        """Take samples from `reader` and make batches of them.

        Same as Paddle 1.8.

        Args:
            reader: gives samples, each a tuple or list with one item per slot.
            batch_size: samples in a batch.
            drop_last: leave out the last batch if it is smaller.
            places: one place, alone or in a list; by default the guard's.

        Returns:
            The loader itself.
        """
        assert batch_size > 0, f"`batch_size` must be 1 or more, but received {batch_size}."
        return self.set_sample_list_generator(batch(reader, batch_size, drop_last), places)

    def set_sample_list_generator(
        self, reader: Reader, places: Any = None
    ) -> DygraphGeneratorLoader:
        """Take lists of samples from `reader`, such as `paddle.batch` makes.

        Same as Paddle 1.8.

        Args:
            reader: gives lists of samples, each a tuple or list with one item per slot.
            places: one place, alone or in a list; by default the guard's.

        Returns:
            The loader itself.
        """
        return self.set_batch_generator(lambda: map(slots_of, reader()), places)

    def set_batch_generator(self, reader: Reader, places: Any = None) -> DygraphGeneratorLoader:
        """Take whole batches from `reader`.

        Same as Paddle 1.8.

        Args:
            reader: gives batches, each a tuple or list with one array per slot.
            places: one place, alone or in a list; by default the guard's.

        Returns:
            The loader itself.
        """
        self._batch_reader = reader
        self._place = one_place(places)
        self._current = None
        return self


def _arrays(batch_reader: Reader) -> Iterator[list[np.ndarray]]:
    for items in batch_reader():
        yield [to_array(slot, item) for slot, item in enumerate(items)]
