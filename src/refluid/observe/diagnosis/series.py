"""One metric over the steps, and statistics of it that noise does not mislead.

Levels are medians over windows. Windows are shares of the run and not numbers of steps, and a long
curve is condensed first, so that what is found does not depend on how often was logged. Losses are
compared as ratios, on a scale that is logarithmic far above a floor and linear below: what a loss
does within the last percents of its way down means nothing.
May import: numpy.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Series"]

Floats = NDArray[np.float64]

_MOST_POINTS = 1000
_LARGEST = 1e100
# of the median of absolute deviations, for a normal distribution
_MAD_TO_STD = 1.4826
# how far noise may move a smoothed curve, as a ratio
_CALM = 0.15
_WIDEST = 20
_LOUD, _SURELY = 0.6, 8.0


@dataclass(frozen=True, eq=False)
class Series:
    """The values of one metric.

    Args:
        steps: int64 [N], rising.
        values: float64 [N].
    """

    steps: NDArray[np.int64]
    values: Floats

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, part: slice) -> Series:
        return Series(self.steps[part], self.values[part])

    @property
    def finite(self) -> Series:
        """The points whose value is finite, and small enough to be squared."""
        found = np.abs(self.values) < _LARGEST
        return self if found.all() else Series(self.steps[found], self.values[found])

    @property
    def condensed(self) -> Series:
        """At most 1,000 points: medians of neighbors, each at the last step of its window."""
        if len(self) <= _MOST_POINTS:
            return self
        parts = self.parts(_MOST_POINTS)
        return Series(
            np.array([part.steps[-1] for part in parts]),
            np.array([part.level for part in parts]),
        )

    @property
    def level(self) -> float:
        """The median."""
        return float(np.median(self.values))

    @property
    def start(self) -> float:
        """The level of the first points: as few of them as the noise allows."""
        head = self[:_MOST_POINTS]
        # where it is calmest: what else there is may be a fall from a leap
        noise = min((p.noise / max(abs(p.level), 1e-300) for p in head.parts(4)), default=0.0)
        level = self[: int(np.clip((noise / _CALM) ** 2, 1, max(1, len(head) / _WIDEST)))].level
        first = float(self.values[0])
        # the first value is already far below the next: that is a leap, unless all is noise
        leapt = noise < _LOUD and level > first * np.exp(_SURELY * noise) > 0
        return first if leapt else level

    @property
    def mean(self) -> float:
        """The mean, for shares: the median of few samples' accuracies is coarse."""
        return float(np.mean(self.values))

    def parts(self, num: int) -> list[Series]:
        """Return `num` windows of equal length, fewer if there are fewer points."""
        bounds = np.linspace(0, len(self), min(num, len(self)) + 1).astype(int)
        return [self[a:b] for a, b in itertools.pairwise(bounds)]

    def last(self, share: float) -> Series:
        """Return the last points: this share of all, at least one."""
        return self[len(self) - max(1, round(share * len(self))) :]

    def first(self, share: float) -> Series:
        """Return the first points: this share of all, at least one."""
        return self[: max(1, round(share * len(self)))]

    def until(self, step: int) -> Series:
        """Return the points up to a step, that one included."""
        return self[: int(np.searchsorted(self.steps, step, "right"))]

    def after(self, step: int) -> Series:
        """Return the points behind a step."""
        return self[int(np.searchsorted(self.steps, step, "right")) :]

    def scaled(self, floor: float) -> Series:
        """Return the values on a scale where differences are logarithms of ratios.

        Args:
            floor: well below it, the scale is linear.
        """
        return Series(self.steps, np.arcsinh(self.values / (2 * floor)))

    @property
    def noise(self) -> float:
        """The deviation from one point to the next that has nothing to do with the curve."""
        if len(self) < 3:
            return 0.0
        # second differences: a steady slope is no noise
        bends = np.diff(self.values, 2)
        return _MAD_TO_STD * float(np.median(np.abs(bends))) / np.sqrt(6)

    @property
    def smoothed(self) -> tuple[Series, float]:
        """Running medians, the wider the noisier the values are, and the noise that is left.

        Values are to be of a logarithmic scale.
        """
        # where it is noisiest
        noise = max(part.noise for part in self.parts(4))
        width = int(np.clip((noise / _CALM) ** 2, 1, max(1, len(self) / _WIDEST))) // 2 * 2 + 1
        windows = np.lib.stride_tricks.sliding_window_view(self.values, width)
        middle = slice(width // 2, len(self) - width // 2)
        # a median of n values deviates 1.25 times as much as their mean
        left = 1.25 * noise / np.sqrt(width)
        return Series(self.steps[middle], np.median(windows, axis=1)), left

    def slope(self) -> tuple[float, float]:
        """Return the change over the whole series by a straight line, and its standard error."""
        x = np.linspace(-0.5, 0.5, len(self))
        squares = float(np.sum(x * x))
        rise = float(np.sum(x * self.values)) / squares
        left = self.values - self.values.mean() - rise * x
        error = np.sqrt(float(np.sum(left * left)) / max(1, len(self) - 2) / squares)
        return rise, float(error)
