"""One value of a metric, and which of several is the best.

What is better follows from the words in a metric's name; of other names nothing is claimed.
May import: numpy.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Point", "Series", "best_point", "is_better", "is_share"]

# steps int64 [N] and values float64 [N]
Series = tuple[NDArray[np.int64], NDArray[np.float64]]

_LOWER_IS_BETTER = ("loss", "error", "perplexity")
_HIGHER_IS_BETTER = ("accuracy", "precision", "recall", "f1")


@dataclass(frozen=True)
class Point:
    """A value of a metric, and the step at which it was logged."""

    step: int
    value: float


def is_better(name: str) -> bool | None:
    """Return whether a higher value of this metric is better, or None if that is not known."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    if any(word in _LOWER_IS_BETTER for word in words):
        return False
    return True if any(word in _HIGHER_IS_BETTER for word in words) else None


def best_point(name: str, series: Series) -> Point | None:
    """Return the best of a metric's values, the first of several.

    Args:
        name: of the metric.
        series: its steps and values.

    Returns:
        None if no value is finite, or if it is not known what is better.
    """
    better = is_better(name)
    steps, values = series
    finite = np.isfinite(values)
    if better is None or not finite.any():
        return None
    scores = np.where(finite, values if better else -values, -math.inf)
    index = int(scores.argmax())
    return Point(int(steps[index]), float(values[index]))


def is_share(name: str) -> bool:
    """Return whether a metric of this name is a share, from 0 to 1."""
    return is_better(name) is True
