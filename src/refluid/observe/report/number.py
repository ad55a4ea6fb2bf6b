"""Numbers, spans of time and instants as a reader wants them.

May import: the standard library only.
"""

from __future__ import annotations

import math
import time

__all__ = ["count", "duration", "instant", "number", "percent", "size"]

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


def number(value: float) -> str:
    """Return a number with four digits that matter, such as 0.01235, 1,234 or 1.2e-07."""
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}"
    if 1e-4 <= abs(value) < 1e7:
        digits = max(0, 3 - math.floor(math.log10(abs(value))))
        text = f"{value:,.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.2e}"


def percent(value: float) -> str:
    """Return a share, such as 97.5%."""
    return f"{100 * value:.1f}%" if math.isfinite(value) else number(value)


def count(amount: int, noun: str) -> str:
    """Return a count with its noun, such as 1 step or 1,200 steps."""
    return f"{amount:,} {noun}" + ("" if amount == 1 else "s")


def duration(seconds: float) -> str:
    """Return a span of time in its two largest units, such as 2 h 05 min."""
    whole = round(seconds) if math.isfinite(seconds) else 0
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S:02} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S:02} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S:02} h"


def instant(seconds: float) -> str:
    """Return a time since 1970 as date and time in UTC."""
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
    except (ValueError, OverflowError, OSError):
        return "at an unknown time"


def size(num_bytes: int) -> str:
    """Return a number of bytes, such as 1.4 MB."""
    amount = float(num_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
