"""Boxes of given shapes around every place of a feature map.

They depend on sizes and settings alone, and x on the column, y on the row: so the edges of one
row and one column of boxes are kept, which take little memory, and put together to new boxes.
H, W height and width of the feature map; P boxes of one place. May import: torch.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Pair", "Places", "boxes_around"]

Pair = tuple[float, float]


class Places(NamedTuple):
    """Where the places of a feature map lie in the image; each across and down."""

    step: Pair
    # the centre of the first place
    start: Pair
    # what coordinates are divided by
    size: Pair


def boxes_around(
    input: Tensor,
    places: Places,
    shapes: tuple[Pair, ...],
    offsets: tuple[Pair, ...] = ((0.0, 0.0),),
    extra: float = 0.0,
    cut: bool = False,
) -> Tensor:
    """Return [H, W, P, 4]: boxes of all shapes around every place.

    Args:
        input: float [N, C, H, W]; only its shape and element type matter.
        places: where the places are.
        shapes: P pairs of width and height in pixels.
        offsets: how far from a place's centre boxes have theirs: P pairs, or one for all.
        extra: 1 where the last pixel counts, else 0.
        cut: cut the first corner at 0 and the last one at 1.
    """
    counts = input.size(3), input.size(2)
    is_x, columns, rows = _edges(
        counts, places, shapes, offsets, extra, cut, input.dtype, input.device
    )
    return torch.where(is_x, columns, rows)


@functools.lru_cache(maxsize=64)
def _edges(
    counts: tuple[int, int],
    places: Places,
    shapes: tuple[Pair, ...],
    offsets: tuple[Pair, ...],
    extra: float,
    cut: bool,
    dtype: torch.dtype,
    device: torch.device,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return which coordinates are x, [4], edges across, [W, P, 4], and down, [H, 1, P, 4].

    Each begins at coordinates 0 and 1 and ends at 2 and 3.
    """
    edges: list[Tensor] = []
    for axis in (0, 1):
        centre = torch.arange(counts[axis], dtype=dtype, device=device)
        centre = (centre * places.step[axis] + places.start[axis]).unsqueeze(1)
        centre = centre + centre.new_tensor([offset[axis] for offset in offsets])
        half = (centre.new_tensor([shape[axis] for shape in shapes]) - extra) / 2
        size = centre.new_tensor([places.size[axis]])
        low, high = (centre - half) / size, (centre + half) / size
        if cut:
            low, high = low.clamp(min=0), high.clamp(max=1)
        edges.append(torch.stack([low, low, high, high], 2))
    is_x = torch.tensor([True, False, True, False], device=device)
    return is_x, edges[0], edges[1].unsqueeze(1)
