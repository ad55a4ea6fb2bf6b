"""Numbers in sentences.

May import: nothing of refluid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["listed", "number", "percent", "times"]

_MOST = 4


def number(value: float) -> str:
    """Return three digits of a number, without an exponent where that is readable."""
    if not math.isfinite(value):
        return {math.inf: "infinity", -math.inf: "-infinity"}.get(value, "not a number")
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def percent(share: float) -> str:
    """Return a share as a percentage."""
    return f"{100 * share:.1f}%"


def times(ratio: float) -> str:
    """Return a ratio, such as "12 times"."""
    return f"{ratio:,.0f} times" if ratio < 1e6 else f"{ratio:.0e} times"


def listed(texts: Sequence[str]) -> str:
    """Return the first few texts in one, and how many more there are."""
    more = f" and {len(texts) - _MOST} more" if len(texts) > _MOST else ""
    return ", ".join(texts[:_MOST]) + more
