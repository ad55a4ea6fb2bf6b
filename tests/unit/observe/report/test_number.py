"""Numbers are written so that they can be read."""

from __future__ import annotations

import math

import pytest

from refluid.observe.report.number import count, duration, instant, number, percent, size


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (3.0, "3"), (1234.0, "1,234"), (0.012345, "0.01235"),
        (12.3456, "12.35"), (-2.5, "-2.5"), (1234.56, "1,235"), (1.23e-7, "1.23e-07"),
        (1e300, "1.00e+300"), (math.nan, "not a number"), (math.inf, "infinite"),
        (-math.inf, "-infinite"),
    ],
)  # fmt: skip
def test_number(value, text):
    assert number(value) == text


def test_percent_count_and_size():
    assert [percent(0.98765), percent(1.0), percent(math.nan)] == [
        "98.8%",
        "100.0%",
        "not a number",
    ]
    assert [count(1, "step"), count(2000, "step")] == ["1 step", "2,000 steps"]
    assert [size(0), size(999), size(116_500), size(3 * 10**15)] == [
        "0 bytes", "999 bytes", "116.5 kB", "3000.0 TB",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (7500, "2 h 05 min"),
        (200_000, "2 d 07 h"), (math.inf, "0 s"),
    ],
)  # fmt: skip
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_instant_is_in_utc_and_may_be_impossible():
    assert instant(0.0) == "1970-01-01 00:00 UTC"
    assert instant(1e30) == instant(math.nan) == "at an unknown time"
