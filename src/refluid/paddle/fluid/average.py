"""`WeightedAverage`, which Paddle 1.8 already calls deprecated. May import: numpy."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

__all__ = ["WeightedAverage"]


class WeightedAverage:
    """Average values by weight.

    Same as Paddle 1.8, whose warning says to use `fluid.metrics.Accuracy` instead.
    """

    def __init__(self) -> None:
        warnings.warn(
            "The WeightedAverage is deprecated, please use fluid.metrics.Accuracy instead.",
            Warning,
            stacklevel=2,
        )
        self.reset()

    def reset(self) -> None:
        """Forget all values."""
        self.numerator: Any = None
        self.denominator: Any = None

    def add(self, value: Any, weight: Any) -> None:
        """Add one value.

        Args:
            value: a number, or an array of the same shape each time.
            weight: a number, or an array of shape [1].

        Raises:
            ValueError: either is something else.
        """
        if not _is_number(value) and not isinstance(value, np.ndarray):
            raise ValueError(
                "The `value` must be a number(int, float) or a numpy ndarray, "
                f"but received {type(value).__name__}."
            )
        if not _is_number(weight):
            raise ValueError(
                f"The `weight` must be a number(int, float), but received {type(weight).__name__}."
            )
        if self.numerator is None:
            self.numerator, self.denominator = value * weight, weight
        else:
            self.numerator = self.numerator + value * weight
            self.denominator = self.denominator + weight

    def eval(self) -> Any:
        """Return the average.

        Raises:
            ValueError: nothing was added.
        """
        if self.numerator is None:
            raise ValueError("There is no data to be averaged in WeightedAverage.")
        return self.numerator / self.denominator


def _is_number(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return bool(value.shape == (1,))
    return isinstance(value, (int, float, np.number))
