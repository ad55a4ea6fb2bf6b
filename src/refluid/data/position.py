"""What a training loop asks of its data: batches with their places, from any place on.

A position is a plain value that can be saved. It says where the batch lies that comes after the
last one handed out, not what has been read ahead; so it is right at every step boundary.
May import: numpy, errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from refluid.errors import DataError

__all__ = ["Item", "Source", "check_same", "is_count"]


class Item(NamedTuple):
    """One batch and its place.

    Args:
        epoch: counted from 0.
        index: the batch's place in its epoch, from 0.
        last: no batch of this epoch follows.
        batch: what the program trains on.
    """

    epoch: int
    # as a tuple it has a method of this name, which nobody needs
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]
    last: bool
    batch: Any


@runtime_checkable
class Source(Protocol):
    """Data that can be gone through from a position; `Batches` and `Replay` are such."""

    def open(self, position: Any | None, epochs: int) -> Iterator[Item]:
        """Go to a position, and return an iterator over what follows.

        Args:
            position: what `position` returned, maybe in an earlier process; None is the beginning.
            epochs: how many epochs there are in total, those before the position included.

        Raises:
            DataError: the position is not of these data.
        """
        ...

    def position(self) -> Any:
        """Return where the batch after the last one handed out lies, as a packable value."""
        ...

    def describe(self) -> str | None:
        """Return what going to the position took, in words, or None if it is not worth telling."""
        ...

    def close(self) -> None:
        """End what is open: threads, processes, the program's own iterator."""
        ...


def check_same(saved: Mapping[str, Any], now: Mapping[str, Any], what: str) -> None:
    """See to it that data are described now as they were when a position was saved.

    Args:
        saved: the description in the position.
        now: that of the data which are to go on from it.
        what: the class of the data, for the message.

    Raises:
        DataError: an entry differs; all that do are named with both values.
    """
    differences = [
        f"`{name}` was {saved.get(name)!r} and is {now[name]!r} now"
        for name in now
        if saved.get(name) != now[name]
    ]
    if differences:
        raise DataError(
            f"the position in the data was saved by another {what}: {'; '.join(differences)}. Use "
            "the same data and arguments as before, or begin another run in another directory."
        )


def is_count(value: Any) -> bool:
    """Return whether `value` is a whole number from 0."""
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return is_whole and int(value) >= 0
