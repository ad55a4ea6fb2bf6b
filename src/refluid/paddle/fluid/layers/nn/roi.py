"""Features of regions of images: `roi_align` and `roi_pool`.

N images, C channels, H, W height and width, R regions, h, w height and width of the result.
May import: torch, core_avx, layers.detection.argument.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, operator, optional
from refluid.paddle.fluid.core_avx.ops.pixel import bilinear, pixel_rows, sum_pixels
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layers.detection.argument import noted_images, real, sizes_of, whole

__all__ = ["roi_align", "roi_pool"]

# more than the exponent of any side
_LEVELS = 64


def roi_align(
    input: VarBase,
    rois: VarBase,
    pooled_height: int = 1,
    pooled_width: int = 1,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    name: str | None = None,
    rois_lod: VarBase | None = None,
) -> VarBase:
    """Return the mean of interpolated values in each part of each region.

    Same as Paddle 1.8: gradients flow to `input` only. Source: He et al. 2017 (Mask R-CNN).

    Args:
        input: float [N, C, H, W].
        rois: float [R, 4], x1, y1, x2, y2 of regions, those of the first image first.
        pooled_height: h.
        pooled_width: w.
        spatial_scale: what the coordinates are multiplied with.
        sampling_ratio: how many values of a part across and down; by default as many as it has
            pixels.
        name: accepted for compatibility.
        rois_lod: int64 [N + 1], at which rows the regions of an image begin, and R. It may be
            left out for results of `generate_proposals`, which know it.

    Returns:
        [R, C, h, w].

    Raises:
        EnforceNotMet: shapes or settings do not fit, or which region belongs to which image is
            not known.
    """
    known = noted_images(rois)
    return _align(
        input, rois, rois_lod, known, pooled_height, pooled_width, spatial_scale, sampling_ratio
    )


@operator("roi_align", input=FLOAT, rois=FLOAT, rois_lod=optional(INT64))
def _align(
    input: Tensor,
    rois: Tensor,
    rois_lod: Tensor | None,
    known: list[int] | None,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
    sampling_ratio: int,
) -> Tensor:
    op_type = "roi_align"
    height, width = _result_size(op_type, pooled_height, pooled_width)
    ratio = whole(op_type, "sampling_ratio", sampling_ratio)
    scale = _scale(op_type, spatial_scale)
    image = _image_of(op_type, input, rois, rois_lod, known)
    with torch.no_grad():
        boxes = rois * scale
        # across and down, as boxes are
        step = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1.0) / boxes.new_tensor([width, height])
        points = (torch.full_like(step, ratio) if ratio > 0 else step.ceil()).long()
        counts = points.prod(1)
        region, part, point = _points(points, counts, height, width)
        # of the region that each point belongs to
        own_step, own_count = step[region], counts[region]
        place = boxes[region, :2] + part * own_step
        place = place + (point + 0.5) * own_step / points[region]
        pixels, weights = bilinear(
            place[:, 1], place[:, 0], input.size(2), input.size(3), to_edge=True
        )
        pixels += image[region].unsqueeze(1) * (input.size(2) * input.size(3))
        weights = weights / own_count.unsqueeze(1)
        lengths = 4 * counts.repeat_interleave(height * width)
        starts = lengths.cumsum(0) - lengths
    result = sum_pixels(pixel_rows(input), pixels.flatten(), weights.flatten(), starts)
    return _as_maps(result, len(rois), height, width)


def _points(
    points: Tensor, counts: Tensor, height: int, width: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the region of each point, its part, and its place in that, across and down.

    Args:
        points: int64 [R, 2], how many across and down in each part of a region.
        counts: int64 [R], how many in each part of a region.
        height: h.
        width: w.
    """
    totals = counts * (height * width)
    region = torch.repeat_interleave(totals)
    number = torch.arange(len(region), device=totals.device)
    number = number - (totals.cumsum(0) - totals)[region]
    count = counts[region]
    part, inner = number // count, number % count
    across = points[region, 0]
    return (
        region,
        torch.stack([part % width, part // width], 1),
        torch.stack([inner % across, inner // across], 1),
    )


def roi_pool(
    input: VarBase,
    rois: VarBase,
    pooled_height: int = 1,
    pooled_width: int = 1,
    spatial_scale: float = 1.0,
    rois_lod: VarBase | None = None,
) -> VarBase:
    """Return the greatest value in each part of each region.

    Same as Paddle 1.8: gradients flow to `input` only. Source: Girshick 2015 (Fast R-CNN).

    Args:
        input: float [N, C, H, W].
        rois: float [R, 4], x1, y1, x2, y2 of regions, those of the first image first.
        pooled_height: h.
        pooled_width: w.
        spatial_scale: what the coordinates are multiplied with before they are rounded.
        rois_lod: int64 [N + 1], at which rows the regions of an image begin, and R. It may be
            left out for results of `generate_proposals`, which know it.

    Returns:
        [R, C, h, w], 0 where a part lies outside the image.

    Raises:
        EnforceNotMet: shapes or settings do not fit, or which region belongs to which image is
            not known.
    """
    known = noted_images(rois)
    return _pool(input, rois, rois_lod, known, pooled_height, pooled_width, spatial_scale)


@operator("roi_pool", input=FLOAT, rois=FLOAT, rois_lod=optional(INT64))
def _pool(
    input: Tensor,
    rois: Tensor,
    rois_lod: Tensor | None,
    known: list[int] | None,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
) -> Tensor:
    op_type = "roi_pool"
    height, width = _result_size(op_type, pooled_height, pooled_width)
    scale = _scale(op_type, spatial_scale)
    image = _image_of(op_type, input, rois, rois_lod, known)
    with torch.no_grad():
        # halves away from zero, as C++ rounds
        boxes = (rois * scale).abs().add(0.5).floor().copysign(rois)
        # across and down, as boxes are
        start, end = boxes.chunk(2, 1)
        step = (end - start + 1).clamp(min=1) / boxes.new_tensor([width, height])
        left, right = _parts(start[:, :1], step[:, :1], width, input.size(3))
        top, bottom = _parts(start[:, 1:], step[:, 1:], height, input.size(2))
        # [R, h, w, 4]: left, top, right, bottom
        edges = torch.stack(
            torch.broadcast_tensors(
                left[:, None], top[:, :, None], right[:, None], bottom[:, :, None]
            ),
            3,
        ).view(-1, 4)
        full = (edges[:, 2:] > edges[:, :2]).all(1).nonzero().squeeze(1)
        owner = image.repeat_interleave(height * width)[full]
        places = first_maxima(input, owner, edges[full])
        rows = places + (owner * (input.size(2) * input.size(3))).unsqueeze(1)
    values = pixel_rows(input).gather(0, rows)
    result = values.new_zeros(len(edges), input.size(1)).index_copy(0, full, values)
    return _as_maps(result, len(rois), height, width)


def _parts(start: Tensor, step: Tensor, count: int, size: int) -> Tensor:
    """Return int64 [2, R, count]: where each part of a side begins and ends in the image."""
    edges = torch.arange(count + 1, device=start.device) * step
    edges = torch.stack([edges[:, :-1].floor(), edges[:, 1:].ceil()]) + start
    return edges.clamp(0, size).long()


def first_maxima(images: Tensor, owner: Tensor, edges: Tensor) -> Tensor:
    """Return where the greatest values of rectangles are, the first of equals.

    Each pixel gets its rank in its image and channel, so that the first of equals is the least of
    different numbers. Four overlapping blocks whose sides are powers of two cover a rectangle; the
    least ranks of all blocks of a size are found from those of half the size.

    Args:
        images: float [N, C, H, W].
        owner: int64 [S], whose image's each rectangle is.
        edges: int64 [S, 4], left, top, right, bottom, where the last two lie outside.

    Returns:
        int64 [S, C], row times W plus column.
    """
    order = images.detach().flatten(2).argsort(dim=2, descending=True, stable=True)
    numbers = torch.arange(order.size(2), dtype=torch.int32, device=order.device)
    ranks = torch.empty_like(order, dtype=torch.int32).scatter_(2, order, numbers.expand_as(order))
    # channels last, so that what belongs together lies together
    tall = block = ranks.view(images.size()).permute(0, 2, 3, 1).contiguous()
    best = ranks.new_zeros(len(owner), images.size(1))
    # the exponents of the blocks' sides, down and across, as one number
    exponents = (edges[:, 2:] - edges[:, :2]).double().log2().floor().long()
    level = exponents[:, 1] * _LEVELS + exponents[:, 0]
    height = width = 0
    for number in level.unique().tolist():
        down, across = divmod(number, _LEVELS)
        if height < down:
            for exponent in range(height, down):
                tall = _doubled(tall, 1, 1 << exponent)
            block, height, width = tall, down, 0
        for exponent in range(width, across):
            block = _doubled(block, 2, 1 << exponent)
        width = across
        chosen = (level == number).nonzero().squeeze(1)
        best[chosen] = _best_of_four(block, owner[chosen], edges[chosen], 1 << across, 1 << down)
    channels = torch.arange(images.size(1), device=images.device)
    return order[owner.unsqueeze(1), channels, best.long()]


def _doubled(block: Tensor, axis: int, side: int) -> Tensor:
    """Return the least ranks of blocks twice as large along one axis."""
    count = block.size(axis) - side
    return torch.minimum(block.narrow(axis, 0, count), block.narrow(axis, side, count))


def _best_of_four(block: Tensor, owner: Tensor, edges: Tensor, across: int, down: int) -> Tensor:
    left, top, right, bottom = edges.unbind(1)
    rows, columns = torch.stack([top, bottom - down]), torch.stack([left, right - across])
    return block[owner, rows.unsqueeze(1), columns].amin((0, 1))


def _as_maps(rows: Tensor, regions: int, height: int, width: int) -> Tensor:
    """Return [R h w, C] as [R, C, h, w]."""
    return rows.reshape(regions, height, width, rows.size(1)).permute(0, 3, 1, 2).contiguous()


def _result_size(op_type: str, pooled_height: Any, pooled_width: Any) -> tuple[int, int]:
    height = whole(op_type, "pooled_height", pooled_height)
    width = whole(op_type, "pooled_width", pooled_width)
    if height < 1 or width < 1:
        raise EnforceNotMet(
            f"{op_type}: `pooled_height` and `pooled_width` must be above 0, but received "
            f"{pooled_height!r} and {pooled_width!r}."
        )
    return height, width


def _scale(op_type: str, spatial_scale: Any) -> float:
    scale = real(op_type, "spatial_scale", spatial_scale)
    if not scale > 0:
        raise EnforceNotMet(
            f"{op_type}: `spatial_scale` must be above 0, but received {spatial_scale!r}."
        )
    return scale


def _image_of(
    op_type: str, input: Tensor, rois: Tensor, rois_lod: Tensor | None, known: list[int] | None
) -> Tensor:
    """Return int64 [R]: the image of each region."""
    sizes = sizes_of(op_type, input=(input, "N C H W"), rois=(rois, "R 4"))
    starts = known if rois_lod is None else rois_lod.reshape(-1).tolist()
    if starts is None:
        raise EnforceNotMet(
            f"{op_type}: `rois_lod` must be given, since it is not known which of `rois` belong to "
            "which image."
        )
    fits = len(starts) == sizes["N"] + 1 and starts[0] == 0 and starts[-1] == sizes["R"]
    if not fits or starts != sorted(starts):
        raise EnforceNotMet(
            f"{op_type}: `rois_lod` must hold {sizes['N'] + 1} ascending numbers from 0 to "
            f"{sizes['R']}, where the regions of each of {sizes['N']} images begin, but received "
            f"{starts}."
        )
    counts = [end - start for start, end in itertools.pairwise(starts)]
    return torch.repeat_interleave(torch.tensor(counts, dtype=torch.int64, device=rois.device))
