"""Early stopping: whether a metric has stopped getting better. May import: nothing of refluid."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["Patience"]


class Patience:
    """Counts how often a metric has been logged since it was best.

    Args:
        name: of the metric.
        highest: more is better; otherwise less is.
        most: so many values in a row that are not better, and patience is at its end; None: never.
    """

    def __init__(self, name: str | None, *, highest: bool, most: int | None) -> None:
        self.name = name
        self._sign = 1.0 if highest else -1.0
        self._most = most
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._best = -math.inf
        self._count = 0

    def note(self, value: float) -> None:
        """Take a new value; one that is not a number is not better than any."""
        if self._sign * value > self._best:
            self._best, self._count = self._sign * value, 0
        else:
            self._count += 1

    @property
    def ended(self) -> bool:
        """True once the last `most` values were not better than the best before."""
        return self._most is not None and self._count >= self._most

    def __str__(self) -> str:
        best = self._sign * self._best
        return f"{self.name} was not better than {best:g} in {self._count} validations"

    def capture(self) -> dict[str, Any]:
        """Return what later decisions depend on, as plain values."""
        return {"best": self._best, "count": self._count}

    def restore(self, captured: dict[str, Any]) -> None:
        """Take over what `capture` returned."""
        self._best, self._count = captured["best"], captured["count"]
