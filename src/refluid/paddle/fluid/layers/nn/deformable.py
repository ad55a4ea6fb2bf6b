"""Deformable convolutions, whose windows take their values from places that are inputs themselves.

N images, C channels, K filters, G deformable groups, H, W height and width, h, w those of a filter.
May import: torch, core_avx, dygraph.nn.argument, initializer, layer_helper, layers.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator, optional
from refluid.paddle.fluid.core_avx.ops.pixel import bilinear, pixel_rows, sum_pixels
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.nn.argument import per_axis, positive, positive_per_axis
from refluid.paddle.fluid.initializer import Normal
from refluid.paddle.fluid.layer_helper import LayerHelper
from refluid.paddle.fluid.layers.detection.argument import sizes_of
from refluid.paddle.fluid.layers.nn.connect import check_variable

__all__ = ["deformable_conv"]

PerAxis = int | Sequence[int]


def deformable_conv(
    input: VarBase,
    offset: VarBase,
    mask: VarBase | None,
    num_filters: int,
    filter_size: PerAxis,
    stride: PerAxis = 1,
    padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int | None = None,
    deformable_groups: int | None = None,
    im2col_step: int | None = None,
    param_attr: Any = None,
    bias_attr: Any = None,
    modulated: bool = True,
    name: str | None = None,
) -> VarBase:
    """Convolve images with new filters, each value taken at a place moved by an offset.

    Differs from Paddle: `groups`, `deformable_groups` and `im2col_step` may be left out, which is
    an error in its dynamic graph; and an `im2col_step` that does not divide the batch leaves no
    images out. Source: Dai et al. 2017, Zhu et al. 2018.

    Args:
        input: float [N, C, H, W].
        offset: float [N, 2 G h w, H', W'], how far to move each value, y before x.
        mask: float [N, G h w, H', W'], what to multiply each value with; without meaning if not
            `modulated`.
        num_filters: K.
        filter_size: h, w, or one number for both.
        stride: likewise.
        padding: likewise.
        dilation: likewise.
        groups: divide channels and filters into so many groups that do not see each other.
        deformable_groups: G, groups of channels with offsets of their own.
        im2col_step: accepted for compatibility.
        param_attr: attributes of the weight [K, C / groups, h, w].
        bias_attr: attributes of the bias [K]; False for none.
        modulated: use `mask`.
        name: what the parameters' names begin with.

    Returns:
        [N, K, H', W'].

    Raises:
        ValueError: a setting does not fit.
        EnforceNotMet: shapes do not fit.
    """
    op_type = "deformable_conv"
    shape = check_variable(op_type, "input", input).shape
    if len(shape) != 4:
        raise EnforceNotMet(f"{op_type}: `input` must be [N, C, H, W], but received {shape}.")
    parts = 1 if groups is None else positive(groups, "groups")
    if shape[1] % parts or num_filters % parts:
        raise ValueError(
            f"{op_type}: `groups` must divide {shape[1]} channels and {num_filters} filters, but "
            f"received {groups}."
        )
    sizes = positive_per_axis(filter_size, 2, "filter_size")
    if im2col_step is not None:
        positive(im2col_step, "im2col_step")
    settings = (
        positive_per_axis(stride, 2, "stride"),
        per_axis(padding, 2, "padding"),
        positive_per_axis(dilation, 2, "dilation"),
        parts,
        1 if deformable_groups is None else positive(deformable_groups, "deformable_groups"),
    )
    helper = LayerHelper(op_type, name)
    std = math.sqrt(2.0 / (math.prod(sizes) * shape[1]))
    weight = helper.create_weight(
        param_attr,
        [num_filters, shape[1] // parts, *sizes],
        input.dtype,
        default_initializer=Normal(0.0, std, 0),
    )
    bias = helper.create_parameter(bias_attr, [num_filters], input.dtype, is_bias=True)
    if modulated:
        return _modulated(input, offset, mask, weight, bias, *settings)
    return _plain(input, offset, weight, bias, *settings)


class _Settings(NamedTuple):
    """How the windows lie; each of the lists down and across."""

    strides: list[int]
    paddings: list[int]
    dilations: list[int]
    groups: int
    deformable_groups: int


@operator(
    "deformable_conv", input=FLOAT, offset=FLOAT, mask=FLOAT, weight=FLOAT, bias=optional(FLOAT)
)
def _modulated(
    input: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    weight: Tensor,
    bias: Tensor | None,
    *settings: Any,
) -> Tensor:
    given = _Settings(*settings)
    return _convolve("deformable_conv", input, offset, mask, weight, bias, given)


@operator("deformable_conv_v1", input=FLOAT, offset=FLOAT, weight=FLOAT, bias=optional(FLOAT))
def _plain(
    input: Tensor, offset: Tensor, weight: Tensor, bias: Tensor | None, *settings: Any
) -> Tensor:
    given = _Settings(*settings)
    return _convolve("deformable_conv_v1", input, offset, None, weight, bias, given)


def _convolve(
    op_type: str,
    input: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    weight: Tensor,
    bias: Tensor | None,
    settings: _Settings,
) -> Tensor:
    strides, paddings, dilations, groups, parts = settings
    window = tuple(weight.shape[2:])
    out = tuple(
        (size + 2 * pad - dilation * (side - 1) - 1) // stride + 1
        for size, pad, dilation, side, stride in zip(
            input.shape[2:], paddings, dilations, window, strides, strict=True
        )
    )
    _check(op_type, input, offset, mask, weight, out, parts)
    batch, count = input.size(0), math.prod(window)
    regular = _regular(
        window, out, tuple(strides), tuple(paddings), tuple(dilations), input.dtype, input.device
    )
    y, x = (offset.reshape(batch, parts, count, 2, *out) + regular).unbind(3)
    # a group of channels is an image of its own; sums are ordered by image and group
    split = input.reshape(batch * parts, -1, *input.shape[2:])
    pixels, weights = bilinear(y, x, *input.shape[2:], to_edge=False)
    if mask is not None:
        weights = weights * mask.reshape(batch, parts, count, *out).unsqueeze(-1)
    owner = torch.arange(len(split), device=input.device) * math.prod(input.shape[2:])
    pixels = pixels.flatten(0, 1) + owner.reshape(-1, 1, 1, 1, 1)
    starts = torch.arange(0, pixels.numel(), 4, device=input.device)
    values = sum_pixels(pixel_rows(split), pixels.flatten(), weights.flatten(), starts)
    # [N, G, h w, H' W', C / G] -> [N, groups, C / groups h w, H' W']
    columns = values.reshape(batch, parts, count, math.prod(out), -1)
    columns = columns.permute(0, 1, 4, 2, 3).reshape(batch, groups, -1, math.prod(out))
    result = torch.matmul(weight.reshape(groups, len(weight) // groups, -1), columns)
    result = result.reshape(batch, -1, *out)
    return result if bias is None else result + bias.reshape(-1, 1, 1)


@functools.lru_cache(maxsize=16)
def _regular(
    window: tuple[int, ...],
    out: tuple[int, ...],
    strides: tuple[int, ...],
    paddings: tuple[int, ...],
    dilations: tuple[int, ...],
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    """Return [h w, 2, H', W']: the row and column of each value if there were no offsets."""
    places: list[Tensor] = []
    for axis in (0, 1):
        inner = torch.arange(window[axis], device=device) * dilations[axis] - paddings[axis]
        outer = torch.arange(out[axis], device=device) * strides[axis]
        places.append((inner.unsqueeze(1) + outer).to(dtype))
    rows = places[0].reshape(window[0], 1, out[0], 1).expand(*window, *out)
    columns = places[1].reshape(1, window[1], 1, out[1]).expand(*window, *out)
    return torch.stack([rows, columns], 2).flatten(0, 1)


def _check(
    op_type: str,
    input: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    weight: Tensor,
    out: tuple[int, ...],
    deformable_groups: int,
) -> None:
    batch, channels = input.shape[:2]
    if channels % deformable_groups or weight.size(0) % deformable_groups:
        raise EnforceNotMet(
            f"{op_type}: `deformable_groups` must divide {channels} channels and "
            f"{weight.size(0)} filters, but received {deformable_groups}."
        )
    values = deformable_groups * weight.size(2) * weight.size(3)
    size = f"{out[0]} {out[1]}"
    sizes_of(op_type, offset=(offset, f"{batch} {2 * values} {size}"))
    if mask is not None:
        sizes_of(op_type, mask=(mask, f"{batch} {values} {size}"))
