"""Borders are added, and cut off where a width is negative; the numbers are Paddle 1.8.5's."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L

SHRUNK = {
    ("constant", (0, -1, 2, -2)): (
        [9, 9, 0, 1, 9, 9, 4, 5],
        [0, 2, 0, 0, 8, 10, 0, 0, 0, 0, 0, 0],
    ),
    ("reflect", (0, -1, 2, -2)): (
        [2, 1, 0, 1, 6, 5, 4, 5],
        [0, 4, 4, 0, 8, 20, 12, 0, 0, 0, 0, 0],
    ),
    ("edge", (0, -1, 2, -2)): (
        [0, 0, 0, 1, 4, 4, 4, 5],
        [0, 2, 0, 0, 24, 10, 0, 0, 0, 0, 0, 0],
    ),
    ("reflect", (-1, 1, 0, 0)): (
        [4, 5, 6, 7, 8, 9, 10, 11, 4, 5, 6, 7],
        [0, 0, 0, 0, 16, 20, 24, 28, 16, 18, 20, 22],
    ),
    ("edge", (-1, 0, -1, 0)): (
        [5, 6, 7, 9, 10, 11],
        [0, 0, 0, 0, 0, 10, 12, 14, 0, 18, 20, 22],
    ),
}


@pytest.mark.parametrize(("mode", "widths"), SHRUNK)
def test_pad2d_cuts_off_what_is_negative(variable, mode, widths):
    values, gradient = SHRUNK[mode, widths]
    x = variable(np.arange(12.0).reshape(1, 1, 3, 4))
    y = L.pad2d(x, list(widths), mode=mode, pad_value=9.0)
    assert y.numpy().ravel().tolist() == values
    L.reduce_sum(y * y).backward()
    assert x.gradient().ravel().tolist() == gradient
