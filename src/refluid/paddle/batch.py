"""`paddle.batch`: group the samples of a reader. The package rebinds the name to the function.

May import: the standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["batch"]


def batch(
    reader: Callable[[], Iterable[Any]], batch_size: int, drop_last: bool = False
) -> Callable[[], Iterator[list[Any]]]:
    """Make a reader of lists of `batch_size` samples.

    Same as Paddle 1.8.

    Args:
        reader: gives one sample at a time.
        batch_size: number of samples in a batch, at least 1.
        drop_last: leave out the last batch if it is smaller.

    Returns:
        A reader whose items are lists of samples.

    Raises:
        ValueError: `batch_size` is less than 1.
    """
    size = int(batch_size)
    if size <= 0:
        raise ValueError(f"`batch_size` must be a positive integer, but received {batch_size!r}.")

    def batch_reader() -> Iterator[list[Any]]:
        group = []
        for sample in reader():
            group.append(sample)
            if len(group) == size:
                yield group
                group = []
        if group and not drop_last:
            yield group

    return batch_reader
