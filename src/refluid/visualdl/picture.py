"""Arrays as pictures: every layout that VisualDL takes, as uint8 [H, W, 3].

Values from 0 to 1 are shares of full brightness; others are brightness from 0 to 255, and what lies
outside is the nearest of these. A fourth channel is opacity, over white.
May import: nothing of refluid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["grid", "to_hwc"]


def to_hwc(array: np.ndarray, dataformats: str, name: str = "img") -> np.ndarray:
    """Return an array as a picture, uint8 [H, W, 3].

    Args:
        array: numbers, with an axis for each letter.
        dataformats: the axes in order, of N, C, H, W; several pictures become rows of eight.
        name: of the argument, for errors.

    Raises:
        ValueError: the letters do not fit the array, or it has no 1, 3 or 4 channels.
    """
    return _bright(_arranged(array, dataformats, name))


def grid(
    arrays: Sequence[np.ndarray], dataformats: str, rows: int = -1, scale: float = 1.0
) -> np.ndarray:
    """Return several pictures as one, uint8 [H, W, 3]; smaller ones are centered.

    Args:
        arrays: one or more, each as `to_hwc` takes it.
        dataformats: the axes of each.
        rows: how many, by default as many as columns, or one more.
        scale: of the whole; the nearest point is taken.

    Raises:
        ValueError: there are none, `rows` or `scale` is out of range, or an array does not fit.
    """
    if not len(arrays):
        raise ValueError("`imgs` must hold a picture, but is empty.")
    if rows != -1 and not 1 <= rows <= len(arrays):
        raise ValueError(f"`rows` must be from 1 to {len(arrays)}, or -1, but is {rows}.")
    if not 0 < scale < math.inf:
        raise ValueError(f"`scale` must be a positive number, but is {scale}.")
    pictures = [_arranged(each, dataformats, "imgs") for each in arrays]
    height, width, channels = (max(each.shape[axis] for each in pictures) for axis in range(3))
    side = math.isqrt(len(pictures))
    if rows == -1:
        rows = side + (side * side < len(pictures))
    columns = -(-len(pictures) // rows)
    whole = np.zeros((rows * height, columns * width, channels), np.result_type(*pictures))
    for index, each in enumerate(pictures):
        if each.shape[2] != channels:
            raise ValueError("`imgs` must be pictures with the same number of channels.")
        top = index // columns * height + (height - each.shape[0]) // 2
        left = index % columns * width + (width - each.shape[1]) // 2
        whole[top : top + each.shape[0], left : left + each.shape[1]] = each
    return _bright(_zoomed(whole, scale))


def _arranged(array: np.ndarray, dataformats: str, name: str) -> np.ndarray:
    """Return numbers as [H, W, 3 or 4]."""
    axes = dataformats.upper() if isinstance(dataformats, str) else ""
    wanted = next((each for each in ("NHWC", "HWC", "HW") if sorted(each) == sorted(axes)), None)
    if wanted is None:
        raise ValueError(
            f"`dataformats` must be the letters HW, HWC or NCHW in any order, but is "
            f"{dataformats!r}."
        )
    if array.ndim != len(axes) or not array.size:
        raise ValueError(
            f"`{name}` must have the axes {axes}, but is of shape {list(array.shape)}: say which "
            "it has by `dataformats`."
        )
    ordered = array.transpose([axes.index(axis) for axis in wanted])
    if wanted == "NHWC":
        ordered = _tiled(ordered)
    elif wanted == "HW":
        ordered = ordered[:, :, None]
    if ordered.shape[2] == 1:
        ordered = np.repeat(ordered, 3, axis=2)
    if ordered.shape[2] not in (3, 4):
        raise ValueError(
            f"`{name}` must have 1, 3 or 4 channels, but has {ordered.shape[2]} by the axes {axes} "
            f"of its shape {list(array.shape)}: say which it has by `dataformats`."
        )
    return ordered


def _tiled(pictures: np.ndarray) -> np.ndarray:
    """Return pictures [N, H, W, C] as one of eight columns."""
    num, height, width, channels = pictures.shape
    columns = min(num, 8)
    rows = -(-num // columns)
    whole = np.zeros((rows * columns, height, width, channels), pictures.dtype)
    whole[:num] = pictures
    lines = whole.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return lines.reshape(rows * height, columns * width, channels)


def _zoomed(picture: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1:
        return picture
    lines, points = (
        np.arange(max(1, int(size * scale))) * size // max(1, int(size * scale))
        for size in picture.shape[:2]
    )
    return picture[lines][:, points]


def _bright(numbers: np.ndarray) -> np.ndarray:
    """Return numbers [H, W, 3 or 4] as brightness [H, W, 3]."""
    if numbers.dtype == np.uint8 and numbers.max() > 1:
        pixels = numbers
    else:
        finite = np.nan_to_num(numbers.astype(np.float64), nan=0.0)
        if finite.min() >= 0 and finite.max() <= 1:
            finite *= 255
        pixels = np.clip(finite, 0, 255).astype(np.uint8)
    if pixels.shape[2] == 3:
        return pixels
    opacity = pixels[:, :, 3:] / 255
    return (pixels[:, :, :3] * opacity + 255 * (1 - opacity)).round().astype(np.uint8)
