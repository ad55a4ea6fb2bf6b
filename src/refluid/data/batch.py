"""Batches of labelled images, in an order that the seed and the epoch decide.

The order is a function of (seed, epoch) alone: it can be gone through again, from any place,
without knowing what came before.
May import: numpy, data.dataset.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from refluid.data.dataset import LabeledImages

__all__ = ["batches", "shuffled_order"]

Batch = tuple[NDArray[np.float32], NDArray[np.int64]]


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
