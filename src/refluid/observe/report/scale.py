"""From values to places on paper, and the round values at which an axis is labeled.

May import: numpy, observe.report.number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refluid.observe.report.number import number

__all__ = ["Scale", "fitted"]

_NUM_TICKS = 5
# a ratio from which on the small values of a linear scale can no longer be told apart
_LOGARITHMIC_FROM = 30


@dataclass(frozen=True, kw_only=True)
class Scale:
    """An axis: values from `low` to `high` lie between the places `begin` and `end`.

    Args:
        low: the lowest value.
        high: the highest value, above `low`.
        begin: where `low` is.
        end: where `high` is.
        logarithmic: equal ratios have equal lengths; `low` is above 0.
        share: values are labeled as percentages.
        whole: only whole values are labeled.
    """

    low: float
    high: float
    begin: float
    end: float
    logarithmic: bool = False
    share: bool = False
    whole: bool = False

    def places(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where values are; NaN for those that are nowhere."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high = math.log(low), math.log(high)
            values = np.log(np.where(values > 0, values, np.nan))
        values = np.where(np.isfinite(values), values, np.nan)
        return self.begin + (values - low) / (high - low) * (self.end - self.begin)

    def ticks(self) -> list[tuple[float, str]]:
        """Return places with their labels, about five."""
        values = self._decades() if self.logarithmic else self._steps()
        places = self.places(np.array(values, np.float64)).tolist()
        return [(place, self._label(value)) for place, value in zip(places, values, strict=True)]

    def _steps(self) -> list[float]:
        rough = (self.high - self.low) / _NUM_TICKS
        unit = 10.0 ** math.floor(math.log10(rough))
        step = unit * next(factor for factor in (1, 2, 5, 10) if factor * unit >= rough * 0.999)
        step = max(step, 1.0) if self.whole else step
        first, last = math.ceil(self.low / step - 1e-6), math.floor(self.high / step + 1e-6)
        return [round(k * step, 12) for k in range(first, last + 1)]

    def _decades(self) -> list[float]:
        first, last = math.log10(self.low), math.log10(self.high)
        # few decades: halves and fifths too; many: every second, third, ...
        factors = (1, 2, 5) if last - first < 2.2 else (1,)
        every = max(1, math.ceil((last - first) / _NUM_TICKS))
        exponents = range(math.floor(first), math.ceil(last) + 1)
        values = [f * 10.0**e for e in exponents if e % every == 0 for f in factors]
        return [each for each in values if self.low <= each <= self.high]

    def _label(self, value: float) -> str:
        if self.share:
            return f"{100 * value:g}%"
        for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= max(factor, 1e4):
                return f"{value / factor:g}{letter}"
        # 1e-05 and 1e-5 are the same, and there is little room
        return (
            number(value)
            if abs(value) >= 1e-4 or not value
            else f"{value:.0e}".replace("e-0", "e-")
        )


def fitted(
    kept: Sequence[NDArray[np.float64]],
    noise: Sequence[NDArray[np.float64]],
    begin: float,
    end: float,
    *,
    share: bool = False,
    ratios: bool = True,
) -> Scale:
    """Return the scale on which values are seen best.

    Args:
        kept: values that must be on it.
        noise: values of which the outermost may leave it.
        begin: where the lowest is.
        end: where the highest is.
        share: values are shares of 1, on a linear scale that ends at 1.
        ratios: the scale is logarithmic if values are of very different sizes.
    """
    inner = [_bulk(values) for values in noise]
    known = np.concatenate([np.zeros(0), *kept, *inner])
    known = known[np.isfinite(known)]
    if not known.size:
        known = np.zeros(1)
    low, high = float(known.min()), float(known.max())
    if ratios and not share and low > 0 and high / low > _LOGARITHMIC_FROM:
        return Scale(low=low / 1.25, high=high * 1.25, begin=begin, end=end, logarithmic=True)
    margin = 0.06 * (high - low) or abs(high) / 20 or 1.0
    below = max(0.0, low - margin) if low >= 0 else low - margin
    above = 1.0 if share and high + margin > 1 else high + margin
    # beyond the numbers that a float holds, a difference is infinite
    if not math.isfinite(above - below):
        below, above = -1e308 / 2, 1e308 / 2
    return Scale(low=below, high=above, begin=begin, end=end, share=share)


def _bulk(values: NDArray[np.float64]) -> NDArray[np.float64]:
    finite = values[np.isfinite(values)]
    return np.quantile(finite, [0.02, 0.98]) if finite.size else finite
