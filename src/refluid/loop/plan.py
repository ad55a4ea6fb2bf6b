"""When a run saves, what it keeps, and when it has to end. May import: nothing of refluid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["RESUME", "Plan"]

RESUME = ("auto", "must", "never")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What can be chosen about a run; see `Run` for the meaning.

    Raises:
        ValueError: a value is not one of those that `Run` describes.
    """

    save_every_s: float | None = 60.0
    save_every_steps: int | None = None
    keep_last: int = 2
    keep_highest: str | None = None
    keep_lowest: str | None = None
    resume: str = "auto"
    max_time_s: float | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        for name in ("save_every_s", "save_every_steps", "max_time_s"):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and value > 0):
                raise ValueError(
                    f"`{name}` must be a number above 0, or None, but received {value!r}."
                )
        for name, least in (("save_every_steps", 1), ("keep_last", 1), ("patience", 1)):
            value = getattr(self, name)
            if value is not None and not (_is_whole(value) and value >= least):
                raise ValueError(
                    f"`{name}` must be a whole number from {least}, but received {value!r}."
                )
        if self.keep_highest is not None and self.keep_lowest is not None:
            raise ValueError(
                "`keep_highest` and `keep_lowest` exclude each other, but received "
                f"{self.keep_highest!r} and {self.keep_lowest!r}: one checkpoint is the best."
            )
        if self.patience is not None and self.keep_highest is None and self.keep_lowest is None:
            raise ValueError(
                "`patience` needs `keep_highest` or `keep_lowest`, which says what has to get "
                f"better, but received only {self.patience!r}."
            )
        if self.resume not in RESUME:
            raise ValueError(
                f"`resume` must be one of {', '.join(RESUME)}, but received {self.resume!r}."
            )

    def best(self) -> Callable[[Mapping[str, float]], float] | None:
        """Return what is highest for the checkpoint that shall be kept as the best, or None."""
        highest, lowest = self.keep_highest, self.keep_lowest
        if highest is not None:
            return lambda metrics: metrics.get(highest, math.nan)
        if lowest is not None:
            return lambda metrics: -metrics.get(lowest, math.nan)
        return None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_whole(value) or (isinstance(value, float) and not math.isnan(value))
