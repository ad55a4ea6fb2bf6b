"""Batches of labelled images, in an order that the seed and the epoch decide.

The order is a function of (seed, epoch) alone: it can be gone through again, from any place,
without knowing what came before. Few items are shuffled in memory. The place of each of many is
computed by itself, with a Feistel network keyed by (seed, epoch): so an epoch of a hundred
million items begins, or is gone on with, as fast as one of a hundred.
May import: numpy, data.dataset.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from refluid.data.dataset import LabeledImages

__all__ = ["EpochOrder", "batches", "shuffled_order"]

Batch = tuple[NDArray[np.float32], NDArray[np.int64]]

_MAX_IN_MEMORY = 1 << 18  # some ms at the start of an epoch
_BLOCK = 1 << 14  # places computed at a time: a call of numpy costs as much as hundreds of places
_ROUNDS = 6


def shuffled_order(num_items: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the numbers from 0 to `num_items` - 1 in an order of their own for each epoch.

    Args:
        num_items: how many.
        seed: 0 to 2**32 - 1.
        epoch: 0 to 2**32 - 1.

    Returns:
        int64 [num_items], the same in every version of numpy.
    """
    # RandomState's numbers are frozen; those of numpy's newer generators may change
    return np.random.RandomState([seed, epoch]).permutation(num_items)


def batches(
    part: LabeledImages, batch_size: int, order: NDArray[np.int64] | None = None
) -> Iterator[Batch]:
    """Yield the images and labels of `part`, `batch_size` at a time.

    Args:
        part: where they come from.
        batch_size: how many at a time; the last batch may be smaller.
        order: which image comes when; by default as they are.

    Returns:
        An iterator of images float32 [B, C, H, W] and labels int64 [B, 1].
    """
    for start in range(0, len(part), batch_size):
        index = slice(start, start + batch_size)
        chosen = index if order is None else order[index]
        yield part.images[chosen], part.labels[chosen, None]


class EpochOrder:
    """Which item comes when in one epoch; any part of it in a time that depends on the part alone.

    Args:
        num_items: how many there are, at least 1.
        shuffle: False is the order in which they are.
        seed: 0 to 2**32 - 1.
        epoch: 0 to 2**32 - 1.
    """

    def __init__(self, num_items: int, shuffle: bool, seed: int, epoch: int) -> None:
        self._num_items = num_items
        self._shuffle = shuffle
        self._first = 0  # the place of the first item in `_known`
        self._known = np.empty(0, np.int64)
        if shuffle and num_items <= _MAX_IN_MEMORY:
            self._known = shuffled_order(num_items, seed, epoch)
        elif shuffle:
            keys = np.random.RandomState([seed, epoch]).bytes(8 * _ROUNDS)
            self._keys = np.frombuffer(keys, "<u8")
            self._half = np.uint64(((num_items - 1).bit_length() + 1) // 2)

    def take(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the items at the places from `start` to `stop` - 1, as int64."""
        stop = min(stop, self._num_items)
        if not self._shuffle:
            return np.arange(start, stop)
        if start < self._first or stop > self._first + len(self._known):
            end = min(max(stop, start + _BLOCK), self._num_items)
            self._first, self._known = start, self._at(np.arange(start, end, dtype=np.uint64))
        return self._known[start - self._first : stop - self._first]

    def _at(self, places: NDArray[np.uint64]) -> NDArray[np.int64]:
        items = self._permuted(places)
        # the network permutes a range of up to four times as many: what falls outside goes through
        # it again until it does not, which leaves a permutation of those inside
        outside = np.flatnonzero(items >= self._num_items)
        while len(outside):
            items[outside] = self._permuted(items[outside])
            outside = outside[items[outside] >= self._num_items]
        return items.astype(np.int64)

    def _permuted(self, values: NDArray[np.uint64]) -> NDArray[np.uint64]:
        mask = (np.uint64(1) << self._half) - np.uint64(1)
        high, low = values >> self._half, values & mask
        for key in self._keys:
            high, low = low, high ^ (_mixed(low ^ key) & mask)
        return (high << self._half) | low


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # the last steps of splitmix64: every bit of a value decides about every bit of its result
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
