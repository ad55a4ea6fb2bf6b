"""A plot of characters has its points where they belong."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.observe.curves.braille import plot_line, put_marks


def plotted(x, y, width=4, height=2, ascii_only=False):
    return plot_line(np.array(x, float), np.array(y, float), width, height, ascii_only=ascii_only)


def test_corners_are_the_outermost_dots():
    assert plotted([0], [0]) == ["    ", "\u2840   "]
    assert plotted([0], [1]) == ["\u2801   ", "    "]
    assert plotted([1], [0]) == ["    ", "   \u2880"]
    assert plotted([1], [1]) == ["   \u2808", "    "]


def test_line_between_points_has_no_hole():
    assert plotted([0, 1], [0, 0]) == ["    ", "\u28c0" * 4]
    assert plotted([0, 0], [0, 1]) == ["\u2847   ", "\u2847   "]


def test_line_has_a_gap_where_a_value_is_not_finite():
    dots = plotted([0, 0.14, 0.5, 0.86, 1], [0, 0, np.nan, 0, 0])
    assert dots == ["    ", "\u28c0  \u28c0"]


def test_stars_stand_for_dots():
    assert plotted([0, 1], [1, 1], ascii_only=True) == ["****", "    "]


def test_points_outside_are_at_the_edge():
    assert plotted([-1, 2], [2, 2]) == plotted([0, 1], [1, 1])


def test_marks_are_put_over_the_line():
    lines = plotted([0, 1], [0, 0], ascii_only=True)
    found = put_marks(lines, np.array([0, 0.5, 1.0, 0.2]), np.array([0, 1, 0, np.nan]), "o")
    assert found == ["  o ", "o**o"]


@pytest.mark.parametrize("x", [[], [0.5]])
def test_few_points_are_no_error(x):
    assert len(plotted(x, x)) == 2
