"""How an epoch is divided into batches, and each batch over the processes that train together.

The processes go through one order of all samples. What they train on in one step is a range of it,
of which each takes its part, so a place in the epoch is one number for all of them: how many
samples were used. Another number of processes can go on from there.
May import: errors, position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from refluid.data.position import is_count
from refluid.errors import DataError

__all__ = ["Division", "Part", "Place"]


class Place(NamedTuple):
    """Where a step begins.

    Args:
        epoch: counted from 0.
        index: how many steps of the epoch come before it.
        used: how many samples of the epoch, of all processes, come before it.
    """

    epoch: int = 0
    # as a tuple it has a method of this name, which nobody needs
    index: int = 0  # pyright: ignore[reportIncompatibleMethodOverride]
    used: int = 0


class Part(NamedTuple):
    """What this process takes of a step: the places from `start` to `stop` - 1.

    Args:
        start: of this process.
        stop: of this process.
        end: of all processes, where the next step begins.
    """

    start: int
    stop: int
    end: int


@dataclass(frozen=True)
class Division:
    """The steps of an epoch.

    Args:
        length: samples in the epoch.
        batch_size: samples in a batch, of each process.
        drop_last: a step has whole batches only.
        rank: this process's number.
        count: how many processes there are.
    """

    length: int
    batch_size: int
    drop_last: bool
    rank: int
    count: int

    def number(self, start: int) -> int:
        """Return how many steps there are from the place `start` on."""
        whole, rest = divmod(self.length - start, self.batch_size * self.count)
        # too few for all processes: the step before takes them too
        return whole + (rest >= self.count and not self.drop_last)

    def part(self, start: int) -> Part:
        """Return what is to be taken in the step that begins at the place `start`."""
        size = self.batch_size * self.count
        rest = self.length - start - size
        if rest < 0 or (rest < self.count and not self.drop_last):
            size += rest
        return Part(
            start + size * self.rank // self.count,
            start + size * (self.rank + 1) // self.count,
            start + size,
        )

    def check(self, start: int) -> None:
        """See to it that every process gets something from the place `start` on.

        Raises:
            DataError: there are fewer samples than processes, or, with `drop_last`, than in one
                step.
        """
        left = self.length - start
        if self.drop_last and left < self.batch_size * self.count:
            shares = f" of each of {self.count} processes" if self.count > 1 else ""
            raise DataError(
                f"`batch_size`{shares} is {self.batch_size} and `drop_last` is True, but `dataset` "
                f"has only {left} samples{' left' if start else ''}: there would be no batch."
            )
        if left < self.count:
            raise DataError(
                f"{left} samples are left in the epoch, fewer than {self.count} processes: start "
                f"at most {left} until its end."
            )

    def check_place(self, place: Place) -> None:
        """See to it that a step can begin at a place that was saved.

        Raises:
            DataError: it is none.
        """
        epoch, index, used = place
        is_place = is_count(epoch) and is_count(index) and is_count(used)
        if not is_place or not index <= used < self.length or (used and not index):
            raise DataError(
                f"a position must be an epoch from 0, and a batch within {self.length} samples, "
                f"but received epoch {epoch!r}, and batch {index!r} after {used!r} samples."
            )
