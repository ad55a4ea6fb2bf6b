"""Sums of weighted pixels: what `roi_align` and deformable convolutions are made of.

An image becomes a table with one row of C channels for each pixel, so that a value between
pixels is a weighted sum of four rows. N images, C channels, H, W height and width, T terms, S sums.
May import: torch.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["bilinear", "pixel_rows", "sum_pixels"]


def bilinear(
    y: Tensor, x: Tensor, height: int, width: int, *, to_edge: bool
) -> tuple[Tensor, Tensor]:
    """Return the four pixels around points, and their weights.

    Points beyond -1 and the image's size have weight 0. Gradients flow from weights to points.

    Args:
        y: float [...], rows of the points.
        x: float [...], columns.
        height: H.
        width: W.
        to_edge: points outside the outermost pixels take their values; else there are zeros
            around the image.

    Returns:
        int64 [..., 4], row times W plus column; float [..., 4].
    """
    if to_edge:
        inside = (y >= -1) & (y <= height) & (x >= -1) & (x <= width)
        y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
    else:
        inside = (y > -1) & (y < height) & (x > -1) & (x < width)
    # a point that is not there may be at infinity
    y, x = torch.where(inside, y, 0.0), torch.where(inside, x, 0.0)
    top, left = y.detach().floor(), x.detach().floor()
    down, right = y - top, x - left
    rows = torch.stack([top, top, top + 1, top + 1], -1).long()
    columns = torch.stack([left, left + 1, left, left + 1], -1).long()
    weights = torch.stack(
        [(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right], -1
    )
    there = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    weights = torch.where(there & inside.unsqueeze(-1), weights, 0.0)
    return rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1), weights


def pixel_rows(images: Tensor) -> Tensor:
    """Return images [N, C, H, W] as a table [N H W, C]."""
    return images.permute(0, 2, 3, 1).reshape(-1, images.size(1))


def sum_pixels(table: Tensor, rows: Tensor, weights: Tensor, starts: Tensor) -> Tensor:
    """Return sums of weighted rows; gradients flow to the table and the weights.

    Args:
        table: float [..., C].
        rows: int64 [T].
        weights: float [T].
        starts: int64 [S], at which term each sum begins.

    Returns:
        [S, C].
    """
    return functional.embedding_bag(rows, table, starts, mode="sum", per_sample_weights=weights)
