"""Iterating a `DataLoader`: fetching batches by index, here, in a thread or in worker processes.

The sampler is always advanced in the program's own thread, so a seeded program gets the same
order with any number of workers.
May import: numpy, refluid.data, refluid.errors, core_avx.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from refluid.data.thread import map_in_threads
from refluid.data.worker import can_fork, map_in_workers
from refluid.errors import RefluidWarning
from refluid.paddle.fluid.core_avx import Place, VarBase
from refluid.paddle.fluid.core_avx.tracer import current_place
from refluid.paddle.fluid.core_avx.variable import from_numpy
from refluid.paddle.fluid.dataloader.dataset import Dataset

__all__ = [
    "BatchIterator",
    "CountedBatchIterator",
    "can_have_workers",
    "default_collate_fn",
    "fetched",
    "one_place",
    "slots_of",
    "to_array",
    "to_variables",
]


def default_collate_fn(batch: Sequence[Any]) -> list[np.ndarray]:
    """Stack the samples of a batch into one array for each slot.

    Same as Paddle 1.8.

    Args:
        batch: samples, each an array, or a tuple or list with one item per slot.

    Returns:
        A list with one array per slot, whose first dimension is the batch.

    Raises:
        ValueError: two samples have other numbers of slots, or a slot other shapes.
    """
    if isinstance(batch[0], np.ndarray):
        return [np.stack(batch, axis=0)]
    return [np.stack(slot, axis=0) for slot in slots_of(batch)]


def slots_of(batch: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Turn samples of slots into slots of samples.

    Raises:
        TypeError: a sample is not a sequence.
        ValueError: two samples have different numbers of slots.
    """
    try:
        return [list(slot) for slot in zip(*batch, strict=True)]
    except TypeError:
        kinds = sorted({type(sample).__name__ for sample in batch})
        raise TypeError(
            "each sample must be a tuple or list with one item per slot, "
            f"but received {', '.join(kinds)}."
        ) from None
    except ValueError:
        counts = sorted({len(sample) for sample in batch})
        raise ValueError(
            f"all samples of a batch must have the same number of slots, but received {counts}."
        ) from None


def to_array(slot: int, item: Any) -> np.ndarray:
    """Copy what a reader gave for one slot into an array; the reader may use its own again.

    Raises:
        TypeError: the item is a nested list of uneven lengths, or holds other things than numbers.
    """
    try:
        array = np.asarray(item)
    except ValueError as error:
        raise TypeError(
            f"slot {slot} of the batch cannot be made an array: {error}. Usually its nested lists "
            "have different lengths; look at the reader that makes them."
        ) from None
    if array.dtype == object:
        raise TypeError(
            f"slot {slot} of the batch must hold numbers, but received {type(item).__name__} of "
            f"{', '.join(sorted({type(x).__name__ for x in array.flat}))}."
        )
    # what was made of a list is new, anything else may be the reader's own memory
    return array if isinstance(item, (list, tuple)) else array.copy()


def to_variables(batches: Iterable[Iterable[np.ndarray]], place: Place) -> Iterator[list[VarBase]]:
    """Turn batches of arrays, which nobody else writes to, into lists of variables on `place`."""
    for arrays in batches:
        yield [from_numpy(array, place, zero_copy=True) for array in arrays]


def fetched(
    dataset: Dataset,
    sampler: Iterable[Sequence[int]],
    collate: Callable[[list[Any]], Iterable[Any]],
    *,
    num_workers: int,
    ahead: bool,
    share: bool,
    begin: Callable[[int], object] | None,
) -> Iterator[list[np.ndarray]]:
    """Fetch and collate the batches that `sampler` names, in its order.

    Args:
        dataset: where the samples come from.
        sampler: gives the sample numbers of each batch.
        collate: makes one item per slot out of the samples of a batch.
        num_workers: worker processes; 0 is none.
        ahead: without workers, fetch in a background thread.
        share: with workers, pass arrays through shared memory.
        begin: called in each worker first, with its number.
    """
    fetch = partial(_fetch, dataset, collate)
    if num_workers:
        return map_in_workers(
            fetch, sampler, num_workers, 2 * num_workers, begin=begin, share=share
        )
    if ahead:
        return map_in_threads(fetch, sampler, 1, 2)
    # not map(): a StopIteration out of the data set would end it in silence
    return (fetch(indices) for indices in sampler)


def _fetch(
    dataset: Dataset, collate: Callable[[list[Any]], Iterable[Any]], indices: Sequence[int]
) -> list[np.ndarray]:
    items = collate([dataset[index] for index in indices])
    return [to_array(slot, item) for slot, item in enumerate(items)]


class BatchIterator:
    """One pass over the batches of a loader. Dropping it ends its thread and processes."""

    def __init__(self, batches: Iterator[list[VarBase]]) -> None:
        self._batches = batches

    def __iter__(self) -> BatchIterator:
        return self

    def __next__(self) -> list[VarBase]:
        return next(self._batches)

    def next(self) -> list[VarBase]:
        """Return the next batch, as `next(iterator)` does."""
        return next(self)


class CountedBatchIterator(BatchIterator):
    """One pass over the batches of a data set, whose number is known."""

    def __init__(self, batches: Iterator[list[VarBase]], num_batches: int) -> None:
        super().__init__(batches)
        self._num_batches = num_batches

    def __len__(self) -> int:
        return self._num_batches


def one_place(places: Any) -> Place:
    """Return the place that `places` means: one, a list of one, or None for the guard's."""
    if places is None:
        return current_place()
    if not isinstance(places, (list, tuple)):
        places = [places]
    assert len(places) == 1, (
        f"`places` must hold one place in the dynamic graph, but holds {len(places)}."
    )
    if not isinstance(places[0], Place):
        raise TypeError(
            f"`places` must be a place such as fluid.CPUPlace(), but received {places[0]!r}."
        )
    return places[0]


def can_have_workers(wanted: bool) -> bool:
    """Return `wanted`, or False with a warning on a system without workers."""
    if wanted and not can_fork():
        warnings.warn(
            "worker processes need a system that can fork; data are read in a thread instead.",
            RefluidWarning,
            stacklevel=3,
        )
        return False
    return wanted
