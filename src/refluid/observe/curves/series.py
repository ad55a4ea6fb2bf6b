"""Series of values over steps, made smaller or smoother to be looked at.

Nothing is invented: thinning only leaves points out, never an extreme one, and a smoothed value is
the mean of values that are there. Values that are not finite stay visible as what they are.
Arrays are [N] with N points.
May import: numpy.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["smoothed", "thin"]

# where the values are: steps, or parts of epochs
Steps = TypeVar("Steps", NDArray[np.int64], NDArray[np.float64])
Values = NDArray[np.float64]


def thin(steps: Steps, values: Values, max_points: int) -> tuple[Steps, Values]:
    """Leave points out, so that a line through the rest looks the same.

    The points are divided into groups of neighbours. Of each group the lowest, the highest and the
    first that is not finite stay, and so do the first and the last point of all. Points that stay
    keep their order and are not changed.

    Args:
        steps: int64 or float64 [N].
        values: float64 [N].
        max_points: how many may stay, at least 5. If there are no more than that, all do.

    Returns:
        Steps and values of the points that stay.
    """
    if max_points < 5:
        raise ValueError(f"`max_points` must be at least 5, but received {max_points}.")
    count = len(values)
    if count <= max_points:
        return steps, values
    num_groups = (max_points - 2) // 3
    size = -(-count // num_groups)
    # of equal values the first is chosen, so never what is added at the end
    padded = np.concatenate([values, np.full(-count % size, values[-1])]).reshape(-1, size)
    finite = np.isfinite(padded)
    starts = np.arange(len(padded)) * size
    lowest = starts + np.where(finite, padded, np.inf).argmin(axis=1)
    highest = starts + np.where(finite, padded, -np.inf).argmax(axis=1)
    odd = starts + finite.argmin(axis=1)
    kept = np.unique(np.concatenate([lowest, highest, odd[~finite.all(axis=1)], [0, count - 1]]))
    return steps[kept], values[kept]


def smoothed(values: Values, window: int) -> Values:
    """Return the mean of the values around each one.

    Values that are not finite are left out of the means. At both ends the window has less around
    it, never something else.

    Args:
        values: float64 [N].
        window: how many values a mean is taken of, at least 1; an even number counts as the odd one
            above it, so that the middle is the value itself.

    Returns:
        float64 [N]; NaN where no value in the window is finite.
    """
    if window < 1:
        raise ValueError(f"`window` must be at least 1, but received {window}.")
    finite = np.isfinite(values)
    reach = min(window // 2, len(values))
    sums = _window_sums(np.where(finite, values, 0.0), reach)
    counts = _window_sums(finite.astype(np.float64), reach)
    return np.divide(sums, counts, out=np.full(len(values), np.nan), where=counts > 0)


def _window_sums(values: Values, reach: int) -> Values:
    """Return the sum of each value and `reach` more on either side.

    The values are cut into blocks as long as the window. A window then is the end of one block and
    the beginning of the next, and their sums are those of a running sum from either side. So one
    huge value spoils the sums that it is in, and not all that come after it, as it would in the
    difference of two running sums.
    """
    count, size = len(values), 2 * reach + 1
    padded = np.zeros(-(-(count + 2 * reach) // size) * size)
    padded[reach : reach + count] = values
    blocks = padded.reshape(-1, size)
    with np.errstate(over="ignore", invalid="ignore"):
        heads = blocks.cumsum(axis=1).ravel()
        tails = blocks[:, ::-1].cumsum(axis=1)[:, ::-1].ravel()
        ends = np.arange(count) + size - 1
        # a window that is one whole block has no second part
        whole = np.arange(count) % size == 0
        return np.where(whole, heads[ends], tails[:count] + heads[ends])
