"""A small plot of characters: a line of braille dots, and marks for single points.

Each character has two columns of four dots. Values of W characters by H are those of [0, 1] by
[0, 1], from the lower left to the upper right.
May import: numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["plot_line", "put_marks"]

# the bit of each dot in a character, by its row from the top and its column (Unicode 15, U+2800)
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
_BLANK = 0x2800

Values = NDArray[np.float64]


def plot_line(x: Values, y: Values, width: int, height: int, *, ascii_only: bool) -> list[str]:
    """Return a line through points, as rows of characters from the top.

    Args:
        x: float64 [N], from 0 to 1.
        y: float64 [N], from 0 to 1; the line has a gap where it is not finite.
        width: in characters.
        height: in characters.
        ascii_only: draw stars in place of dots.
    """
    dots = np.zeros((4 * height, 2 * width), bool)
    columns = np.clip(x * (2 * width - 1), 0, 2 * width - 1)
    rows = np.clip((1 - y) * (4 * height - 1), 0, 4 * height - 1)
    good = np.isfinite(rows)
    dots[np.rint(rows[good]).astype(int), np.rint(columns[good]).astype(int)] = True
    for index in np.flatnonzero(good[:-1] & good[1:]):
        ends = slice(index, index + 2)
        count = int(max(np.ptp(rows[ends]), np.ptp(columns[ends]))) + 2
        along = np.linspace(rows[index], rows[index + 1], count)
        across = np.linspace(columns[index], columns[index + 1], count)
        dots[np.rint(along).astype(int), np.rint(across).astype(int)] = True
    cells = dots.reshape(height, 4, width, 2).transpose(0, 2, 1, 3)
    if ascii_only:
        return ["".join("*" if any_dot else " " for any_dot in row) for row in cells.any((2, 3))]
    codes = (cells * _BITS).sum(axis=(2, 3))
    return ["".join(chr(_BLANK + code) if code else " " for code in row) for row in codes]


def put_marks(lines: list[str], x: Values, y: Values, mark: str) -> list[str]:
    """Return rows of characters with a mark at each point that is finite; see `plot_line`."""
    cells = [list(line) for line in lines]
    height, width = len(cells), len(cells[0])
    good = np.isfinite(y)
    columns = np.clip((x[good] * width).astype(int), 0, width - 1)
    rows = np.clip(((1 - y[good]) * height).astype(int), 0, height - 1)
    for row, column in zip(rows, columns, strict=True):
        cells[row][column] = mark
    return ["".join(row) for row in cells]
