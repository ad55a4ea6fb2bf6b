"""How much boxes and polygons cover each other, one against many, for several images at once.

P problems (a class in an image), K boxes in each, D coordinates of a box. Boxes are taken apart
into planes, since torch is slow along a dimension of four.
May import: torch, numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["Planes", "box_overlap", "comparison", "planes", "polygon_overlap"]

Array = npt.NDArray[Any]

# so many pairs of boxes are compared at once, before it is known which of them matter
_FEW = 1 << 15
# x1, y1, x2, y2 and the area, each of one shape
Planes = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def planes(boxes: Tensor, extra: float) -> Planes:
    """Return the coordinates and areas of boxes.

    Args:
        boxes: float [..., 4], x1, y1, x2, y2.
        extra: 1 where coordinates are those of pixels and the last one counts, else 0.
    """
    x1, y1, x2, y2 = boxes.movedim(-1, 0).contiguous().unbind()
    width, height = x2 - x1, y2 - y1
    turned = (x2 < x1) | (y2 < y1)
    if extra:
        width, height = width.add_(extra), height.add_(extra)
    return x1, y1, x2, y2, width.mul_(height).masked_fill_(turned, 0.0)


def box_overlap(one: Planes, many: Planes, extra: float) -> Tensor:
    """Return intersection over union; shapes are broadcast.

    Args:
        one: planes of boxes.
        many: planes of others.
        extra: as for `planes`.
    """
    x1, y1, x2, y2, area = one
    left, top, right, bottom, areas = many
    apart = (x1 > right) | (left > x2) | (y1 > bottom) | (top > y2)
    width = torch.minimum(x2, right).sub_(torch.maximum(x1, left))
    height = torch.minimum(y2, bottom).sub_(torch.maximum(y1, top))
    if extra:
        width, height = width.add_(extra), height.add_(extra)
    common = width.mul_(height)
    return (common / (area + areas).sub_(common)).masked_fill_(apart, 0.0)


def comparison(boxes: Tensor, extra: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Return what gives the overlaps of one box of each problem with all of its boxes.

    Args:
        boxes: float [P, K, D]: x1, y1, x2, y2, or the corners of a polygon.
        extra: as for `planes`; without meaning for polygons.

    Returns:
        A function of int64 [P], the number of a box in each problem, and of uint8 [P, K], 0 for
        boxes that do not matter; it returns [P, K].
    """
    if boxes.size(2) != 4:
        return _polygon_comparison(boxes)
    many, rows = planes(boxes, extra), torch.arange(len(boxes), device=boxes.device)
    every = torch.stack(many)

    def compare(which: Tensor, wanted: Tensor) -> Tensor:
        x1, y1, x2, y2, area = every[:, rows, which].unsqueeze(2).unbind()
        return box_overlap((x1, y1, x2, y2, area), many, extra)

    if boxes.size(0) * boxes.size(1) ** 2 > _FEW:
        return compare
    x1, y1, x2, y2, area = every.unsqueeze(3).unbind()
    left, top, right, bottom, areas = every.unsqueeze(2).unbind()
    overlaps = box_overlap((x1, y1, x2, y2, area), (left, top, right, bottom, areas), extra)
    return lambda which, wanted: overlaps[rows, which]


def _polygon_comparison(boxes: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    # on the CPU, as in Paddle: NumPy, which is the faster one for few polygons
    corners = boxes.detach().cpu().double().numpy()
    corners = corners.reshape(*corners.shape[:2], -1, 2)
    low, high = corners.min(2), corners.max(2)
    problems = np.arange(len(corners))

    def compare(which: Tensor, wanted: Tensor) -> Tensor:
        own = problems, which.cpu().numpy()
        meets = (low[own][:, None] < high) & (low < high[own][:, None])
        pairs = (meets.all(2) & wanted.cpu().numpy()).nonzero()
        result = np.zeros(corners.shape[:2])
        result[pairs] = polygon_overlap(corners[own][pairs[0]], corners[pairs])
        return torch.from_numpy(result).to(boxes)

    return compare


def polygon_overlap(first: Array, second: Array) -> Array:
    """Return intersection over union of pairs of polygons, 0 where an area is 0.

    Args:
        first: float64 [pairs, corners, 2].
        second: likewise.

    Returns:
        [pairs].
    """
    common = np.zeros(len(first))
    simple = _is_simple(first) & _is_simple(second)
    common[simple] = _area_under_edges(first[simple], second[simple])
    if not simple.all():
        common[~simple] = _area_in_slabs(first[~simple], second[~simple])
    areas = _shoelace(first), _shoelace(second)
    union = areas[0] + areas[1] - common
    positive = (common > 0) & (areas[0] > 0) & (areas[1] > 0)
    return np.divide(common, union, out=np.zeros_like(common), where=positive)


def _shoelace(corners: Array) -> Array:
    x, y = corners[..., 0], corners[..., 1]
    crossed = x * np.roll(y, -1, 1) - np.roll(x, -1, 1) * y
    return np.abs(crossed.sum(1)) / 2


def _is_simple(corners: Array) -> Array:
    """Return for which polygons it is plain that no edges cross: quadrangles without a twist."""
    if corners.shape[1] != 4:
        return np.zeros(len(corners), bool)
    edges = np.roll(corners, -1, 1) - corners
    after = np.roll(edges, -1, 1)
    turns = edges[..., 0] * after[..., 1] - edges[..., 1] * after[..., 0]
    return (turns != 0).all(1) & ((turns > 0).sum(1) != 2)


def _area_under_edges(first: Array, second: Array) -> Array:
    """Return the area inside both of two polygons whose own edges do not cross, for many pairs.

    A polygon is the sum of the areas under its edges, counted as negative for those that run
    back; so what two have in common is the sum over their pairs of edges of what lies under both.
    """
    x0, y0 = np.moveaxis(first, 2, 0)[..., None]
    x1, y1 = np.moveaxis(np.roll(first, -1, 1), 2, 0)[..., None]
    u0, v0 = np.moveaxis(second, 2, 0)[:, :, None]
    u1, v1 = np.moveaxis(np.roll(second, -1, 1), 2, 0)[:, :, None]
    # an upright edge has nothing under it
    slope = (y1 - y0) / np.where(x1 == x0, 1.0, x1 - x0)
    other = (v1 - v0) / np.where(u1 == u0, 1.0, u1 - u0)
    left = np.maximum(np.minimum(x0, x1), np.minimum(u0, u1))
    right = np.minimum(np.maximum(x0, x1), np.maximum(u0, u1))
    level = v0 + other * ((left + right) / 2 - u0)
    # how far the first edge lies above the second one, at both ends of their common range
    ends = [y0 + slope * (x - x0) - v0 - other * (x - u0) for x in (left, right)]
    low, high = np.minimum(*ends), np.maximum(*ends)
    crossed = low * low / np.where(low < high, 2 * (low - high), 1.0)
    below = np.where(high <= 0, (low + high) / 2, np.where(low >= 0, 0.0, crossed))
    direction = np.sign(x1 - x0) * np.sign(u1 - u0)
    parts = direction * np.maximum(right - left, 0.0) * (level + below)
    return np.abs(parts.sum((1, 2)))


def _area_in_slabs(first: Array, second: Array) -> Array:
    """Return the area that lies inside both of two polygons (even-odd rule), for many pairs.

    Vertical lines through all corners and crossings cut the plane into slabs. Within a slab no
    edges cross, so that the polygons are trapezoids there, whose area is width times the length
    of the middle line.
    """
    # [pairs, edges]
    start = np.concatenate([first, second], 1)
    end = np.concatenate([np.roll(first, -1, 1), np.roll(second, -1, 1)], 1)
    (x0, y0), (x1, y1) = (np.moveaxis(corners, 2, 0) for corners in (start, end))
    with np.errstate(divide="ignore", invalid="ignore"):
        # an upright edge crosses no middle line
        slope = np.where(x1 == x0, 0.0, (y1 - y0) / (x1 - x0))
        height = y0 - slope * x0
        i, j = np.triu_indices(x0.shape[1], 1)
        crossings = (height[:, j] - height[:, i]) / (slope[:, i] - slope[:, j])
    # cuts that are not needed do no harm
    crossings = np.where(np.isfinite(crossings), crossings, x0[:, :1])
    crossings = np.clip(crossings, x0.min(1, keepdims=True), x0.max(1, keepdims=True))
    cuts = np.sort(np.concatenate([x0, crossings], 1), 1)
    middle = ((cuts[:, 1:] + cuts[:, :-1]) / 2)[:, :, None]
    left, right = np.minimum(x0, x1)[:, None], np.maximum(x0, x1)[:, None]
    y = height[:, None] + slope[:, None] * middle
    y = np.where((left < middle) & (middle < right), y, np.inf)
    order = np.argsort(y, 2)
    y = np.take_along_axis(y, order, 2)
    met, of_first = np.isfinite(y), order < first.shape[1]
    y = np.where(met, y, 0.0)
    inside = np.cumsum(met & of_first, 2) % 2 & np.cumsum(met & ~of_first, 2) % 2
    here = inside[..., :-1] == 1
    lengths = np.where(here, y[..., 1:] - y[..., :-1], 0.0).sum(2)
    return (lengths * (cuts[:, 1:] - cuts[:, :-1])).sum(1)
