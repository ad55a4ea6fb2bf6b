"""Convolutions with weights of their own. Each call makes new weights.

B batch, C channels, K filters, D depth, H height, W width.
May import: core_avx, dygraph.nn.argument, initializer, layer_helper.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from refluid.paddle.fluid.core_avx.ops import conv
from refluid.paddle.fluid.core_avx.ops.activation import check_act
from refluid.paddle.fluid.core_avx.ops.window import pad_pairs
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.nn.argument import (
    check_use_cudnn,
    one_of,
    per_axis,
    positive_per_axis,
)
from refluid.paddle.fluid.initializer import Normal
from refluid.paddle.fluid.layer_helper import LayerHelper
from refluid.paddle.fluid.layers.nn.connect import check_variable

__all__ = ["conv2d", "conv2d_transpose", "conv3d", "conv3d_transpose"]

PerAxis = int | Sequence[int]
_FORMATS = {2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}
_CONV = {2: conv.conv2d, 3: conv.conv3d}
_CONV_TRANSPOSE = {2: conv.conv2d_transpose, 3: conv.conv3d_transpose}


def window_padding(padding: Any, num_axes: int) -> Any:
    """Return a padding in the forms that operators take, from these or one int."""
    return [padding] * num_axes if isinstance(padding, int) else padding


def conv2d(
    input: VarBase,
    num_filters: int,
    filter_size: PerAxis,
    stride: PerAxis = 1,
    padding: Any = 0,
    dilation: PerAxis = 1,
    groups: int | None = None,
    param_attr: Any = None,
    bias_attr: Any = None,
    use_cudnn: bool = True,
    act: str | None = None,
    name: str | None = None,
    data_format: str = "NCHW",
) -> VarBase:
    """Convolve images with new filters.

    Differs from Paddle: `groups` may be left out, which is an error in its dynamic graph.

    Args:
        input: float [B, C, H, W], or [B, H, W, C] with "NHWC".
        num_filters: K.
        filter_size: kh, kw, or one number for both.
        stride: likewise.
        padding: likewise; or "SAME", "VALID", four ints, or four pairs of ints.
        dilation: likewise.
        groups: divide channels and filters into so many groups that do not see each other.
        param_attr: attributes of the weight [K, C / groups, kh, kw].
        bias_attr: attributes of the bias [K]; False for none.
        use_cudnn: accepted for compatibility.
        act: name of an activation.
        name: what the parameters' names begin with.
        data_format: "NCHW" or "NHWC".

    Returns:
        [B, K, H', W'], or [B, H', W', K] with "NHWC".

    Raises:
        ValueError: an argument is none of these, or `groups` does not divide C.
    """
    return _convolve(
        "conv2d", 2, input, num_filters, filter_size, stride, padding, dilation, groups,
        param_attr, bias_attr, use_cudnn, act, name, data_format,
    )  # fmt: skip


def conv3d(
    input: VarBase,
    num_filters: int,
    filter_size: PerAxis,
    stride: PerAxis = 1,
    padding: Any = 0,
    dilation: PerAxis = 1,
    groups: int | None = None,
    param_attr: Any = None,
    bias_attr: Any = None,
    use_cudnn: bool = True,
    act: str | None = None,
    name: str | None = None,
    data_format: str = "NCDHW",
) -> VarBase:
    """Convolve volumes [B, C, D, H, W] with new filters; arguments as for `conv2d`.

    Differs from Paddle: `groups` may be left out, which is an error in its dynamic graph.
    """
    return _convolve(
        "conv3d", 3, input, num_filters, filter_size, stride, padding, dilation, groups,
        param_attr, bias_attr, use_cudnn, act, name, data_format,
    )  # fmt: skip


def _convolve(
    op_type: str,
    axes: int,
    input: VarBase,
    num_filters: int,
    filter_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int | None,
    param_attr: Any,
    bias_attr: Any,
    use_cudnn: bool,
    act: str | None,
    name: str | None,
    data_format: str,
) -> VarBase:
    channels = _channels(op_type, axes, input, use_cudnn, data_format)
    parts = _groups(op_type, channels, groups)
    sizes = positive_per_axis(filter_size, axes, "filter_size")
    depthwise = parts == channels and groups and not num_filters % channels and not use_cudnn
    helper = LayerHelper(f"depthwise_{op_type}" if depthwise else op_type, name)
    # not divided by groups, as in Paddle
    std = math.sqrt(2.0 / (math.prod(sizes) * channels))
    weight = helper.create_weight(
        param_attr,
        [num_filters, channels // parts, *sizes],
        input.dtype,
        default_initializer=Normal(0.0, std, 0),
    )
    bias = helper.create_parameter(bias_attr, [num_filters], input.dtype, is_bias=True)
    return _CONV[axes](
        input,
        weight,
        bias,
        positive_per_axis(stride, axes, "stride"),
        window_padding(padding, axes),
        positive_per_axis(dilation, axes, "dilation"),
        parts,
        check_act(act),
        data_format,
    )


def _channels(op_type: str, axes: int, input: VarBase, use_cudnn: bool, data_format: str) -> int:
    shape = check_variable(op_type, "input", input).shape
    check_use_cudnn(use_cudnn)
    one_of(data_format, _FORMATS[axes], "data_format")
    if len(shape) != axes + 2:
        raise ValueError(
            f"{op_type}: `input` must have {axes + 2} dimensions, but received shape {shape}."
        )
    return shape[-1 if data_format[-1] == "C" else 1]


def _groups(op_type: str, channels: int, groups: int | None) -> int:
    parts = 1 if groups is None else groups
    if parts < 1 or channels % parts:
        raise ValueError(
            f"{op_type}: `groups` must divide the {channels} channels of `input`, but received "
            f"{groups}."
        )
    return parts


def conv2d_transpose(
    input: VarBase,
    num_filters: int,
    output_size: PerAxis | None = None,
    filter_size: PerAxis | None = None,
    padding: Any = 0,
    stride: PerAxis = 1,
    dilation: PerAxis = 1,
    groups: int | None = None,
    param_attr: Any = None,
    bias_attr: Any = None,
    use_cudnn: bool = True,
    act: str | None = None,
    name: str | None = None,
    data_format: str = "NCHW",
) -> VarBase:
    """Convolve images backwards with new filters: what enlarges them.

    Same as Paddle 1.8.

    Args:
        input: float [B, C, H, W], or [B, H, W, C] with "NHWC".
        num_filters: K.
        output_size: H', W'; less than a stride above the smallest possible, which is the default.
        filter_size: kh, kw; by default what leads to `output_size`.
        padding: taken away around the result; forms as for `conv2d`.
        stride: distance of the windows in the result.
        dilation: distance of the filter's elements.
        groups: divide channels and filters into so many groups that do not see each other.
        param_attr: attributes of the weight [C, K / groups, kh, kw].
        bias_attr: attributes of the bias [K]; False for none.
        use_cudnn: accepted for compatibility.
        act: name of an activation.
        name: what the parameters' names begin with.
        data_format: "NCHW" or "NHWC".

    Returns:
        [B, K, H', W'], or [B, H', W', K] with "NHWC".

    Raises:
        ValueError: neither `output_size` nor `filter_size` is given, or another argument is wrong.
    """
    return _convolve_back(
        "conv2d_transpose", 2, input, num_filters, output_size, filter_size, padding, stride,
        dilation, groups, param_attr, bias_attr, use_cudnn, act, name, data_format,
    )  # fmt: skip


def conv3d_transpose(
    input: VarBase,
    num_filters: int,
    output_size: PerAxis | None = None,
    filter_size: PerAxis | None = None,
    padding: Any = 0,
    stride: PerAxis = 1,
    dilation: PerAxis = 1,
    groups: int | None = None,
    param_attr: Any = None,
    bias_attr: Any = None,
    use_cudnn: bool = True,
    act: str | None = None,
    name: str | None = None,
    data_format: str = "NCDHW",
) -> VarBase:
    """Convolve volumes [B, C, D, H, W] backwards; arguments as for `conv2d_transpose`.

    Same as Paddle 1.8.
    """
    return _convolve_back(
        "conv3d_transpose", 3, input, num_filters, output_size, filter_size, padding, stride,
        dilation, groups, param_attr, bias_attr, use_cudnn, act, name, data_format,
    )  # fmt: skip


def _convolve_back(
    op_type: str,
    axes: int,
    input: VarBase,
    num_filters: int,
    output_size: Any,
    filter_size: Any,
    padding: Any,
    stride: Any,
    dilation: Any,
    groups: int | None,
    param_attr: Any,
    bias_attr: Any,
    use_cudnn: bool,
    act: str | None,
    name: str | None,
    data_format: str,
) -> VarBase:
    channels = _channels(op_type, axes, input, use_cudnn, data_format)
    parts = _groups(op_type, channels, groups)
    strides = positive_per_axis(stride, axes, "stride")
    dilations = positive_per_axis(dilation, axes, "dilation")
    wanted = None if output_size is None else per_axis(output_size, axes, "output_size")
    padding = window_padding(padding, axes)
    if filter_size is None:
        sizes = _sizes_that_lead_to(
            op_type, wanted, input, padding, strides, dilations, data_format
        )
    else:
        sizes = positive_per_axis(filter_size, axes, "filter_size")
    depthwise = groups and parts == channels == num_filters and not use_cudnn
    helper = LayerHelper(f"depthwise_{op_type}" if depthwise else op_type, name)
    weight = helper.create_weight(param_attr, [channels, num_filters // parts, *sizes], input.dtype)
    bias = helper.create_parameter(bias_attr, [num_filters], input.dtype, is_bias=True)
    return _CONV_TRANSPOSE[axes](
        input, weight, bias, strides, padding, dilations, parts, wanted, check_act(act),
        data_format,
    )  # fmt: skip


def _sizes_that_lead_to(
    op_type: str,
    wanted: list[int] | None,
    input: VarBase,
    padding: Any,
    strides: list[int],
    dilations: list[int],
    data_format: str,
) -> list[int]:
    if wanted is None:
        raise ValueError(f"{op_type}: `output_size` or `filter_size` must be given.")
    axes = len(strides)
    shape = input.shape
    sizes = shape[1 : 1 + axes] if data_format[-1] == "C" else shape[2:]
    # a filter of size 1 here: Paddle pads explicitly, or not at all
    pairs = (
        [(0, 0)] * axes
        if isinstance(padding, str)
        else pad_pairs(padding, sizes, [1] * axes, strides)
    )
    return [
        (out - (size - 1) * stride + before + after - 1) // dilation + 1
        for out, size, stride, (before, after), dilation in zip(
            wanted, sizes, strides, pairs, dilations, strict=True
        )
    ]
