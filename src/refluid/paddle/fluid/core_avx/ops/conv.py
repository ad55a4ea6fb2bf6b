"""Convolutions. B batch, C channels, D depth, H height, W width, K filters.

On the CPU images are laid out channels-last inside, which oneDNN and the pooling after it run on
without reordering; shapes and `numpy()` do not show it.
May import: torch, operator, activation, window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator, optional
from refluid.paddle.fluid.core_avx.ops.activation import activate
from refluid.paddle.fluid.core_avx.ops.window import Padding, pad_pairs, pad_widths

__all__ = ["conv2d", "conv2d_transpose", "conv3d", "conv3d_transpose"]


# filters on one channel that are wider take oneDNN up to ten times as long in channels-last
_WIDEST = 11


def _fastest(x: Tensor, weight: Tensor) -> Tensor:
    """Return an image batch [B, C, H, W] in the layout that is fastest on its device."""
    if x.is_cuda:
        return x
    if x.size(1) == 1 and x.is_contiguous():
        if weight.size(3) > _WIDEST:
            return x
        # one channel fits both layouts; these strides make torch choose channels-last
        h, w = x.size(2), x.size(3)
        return x.as_strided(x.size(), (h * w, 1, w, 1))
    return x.contiguous(memory_format=torch.channels_last)


def _convolve(
    op_type: str,
    convolve: Callable[..., Tensor],
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: Padding,
    dilation: list[int],
    groups: int,
    act: str | None = None,
    data_format: str = "NCHW",
) -> Tensor:
    """Convolve images; or volumes, whose sizes and settings have D in front of H.

    Args:
        op_type: Paddle's operator name.
        convolve: torch's function for so many axes.
        input: float [B, C, H, W], or [B, H, W, C] if `data_format` ends in "C".
        weight: [K, C / groups, kh, kw].
        bias: [K] or None.
        stride: [sh, sw].
        padding: [ph, pw], or any other form that `window.pad_pairs` takes.
        dilation: [dh, dw].
        groups: number of groups of channels that do not see each other.
        act: name of an activation, or None.
        data_format: "NCHW" or "NHWC".

    Returns:
        [B, K, H', W'] in the layout of `input`.
    """
    last = data_format[-1] == "C"
    dims = weight.dim()
    if input.dim() != dims:
        _refuse_dims(op_type, input, dims)
    x = input.movedim(-1, 1) if last else input
    around: Any = padding
    if not _plain(padding, len(dilation)):
        dilation, windows = _reach(weight, padding, dilation)
        pairs = pad_pairs(padding, x.size()[2:], windows, stride)
        x, around = functional.pad(x, pad_widths(pairs)), 0
    if dims == 4:
        x = _fastest(x, weight)
    try:
        out = convolve(x, weight, bias, stride, around, dilation, groups)
    except RuntimeError:
        _check_channels(op_type, input, weight.size(1) * groups, weight, last)
        if weight.size(0) % groups:
            raise EnforceNotMet(
                f"{op_type}: the number of filters must be a multiple of `groups`, but received a "
                f"weight of shape {list(weight.size())} and {groups} groups."
            ) from None
        raise
    if act is not None:
        out = activate(out, act, fresh=True)
    return out.movedim(1, -1) if last else out


def _convolve_back(
    op_type: str,
    convolve: Callable[..., Tensor],
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: Padding,
    dilation: list[int],
    groups: int,
    output_size: list[int] | None = None,
    act: str | None = None,
    data_format: str = "NCHW",
) -> Tensor:
    """Convolve backwards: the gradient of a convolution with respect to its input.

    Args:
        op_type: Paddle's operator name.
        convolve: torch's function for so many axes.
        input: float [B, C, H, W], or [B, H, W, C] if `data_format` ends in "C".
        weight: [C, K / groups, kh, kw].
        bias: [K] or None.
        stride: [sh, sw].
        padding: [ph, pw] taken away around the result, or another form of `window.pad_pairs`.
        dilation: [dh, dw].
        groups: number of groups of channels that do not see each other.
        output_size: [H', W'], less than a stride above the smallest possible; None for that one.
        act: name of an activation, or None.
        data_format: "NCHW" or "NHWC".

    Returns:
        [B, K, H', W'] in the layout of `input`.
    """
    last = data_format[-1] == "C"
    dims = weight.dim()
    if input.dim() != dims:
        _refuse_dims(op_type, input, dims)
    x = input.movedim(-1, 1) if last else input
    around: Any = padding
    extra: Any = 0
    rest = None
    if output_size or not _plain(padding, len(dilation)):
        dilation, windows = _reach(weight, padding, dilation)
        pairs = pad_pairs(padding, x.size()[2:], windows, stride)
        least = [
            (n - 1) * s + w - before - after
            for n, s, w, (before, after) in zip(x.size()[2:], stride, windows, pairs, strict=True)
        ]
        if output_size:
            extra = _extra(op_type, output_size, least, stride)
        around = [min(pair) for pair in pairs]
        rest = [(min(pair) - pair[0], min(pair) - pair[1]) for pair in pairs]
    if dims == 4:
        x = _fastest(x, weight)
    try:
        out = convolve(x, weight, bias, stride, around, extra, groups, dilation)
    except RuntimeError:
        _check_channels(op_type, input, weight.size(0), weight, last)
        raise
    if rest is not None and any(map(any, rest)):
        # less than nothing is added: what one side has to lose more than the other
        out = functional.pad(out, pad_widths(rest))
    if act is not None:
        out = activate(out, act, fresh=True)
    return out.movedim(1, -1) if last else out


def _refuse_dims(op_type: str, input: Tensor, dims: int) -> NoReturn:
    # torch would take one dimension less as a batch of one
    raise EnforceNotMet(
        f"{op_type}: `input` must have {dims} dimensions, but received shape {list(input.size())}."
    )


def _reach(weight: Tensor, padding: Padding, dilation: list[int]) -> tuple[list[int], list[int]]:
    """Return the dilation, which "SAME" switches off, and the extents of the windows."""
    if isinstance(padding, str) and padding.upper() == "SAME":
        dilation = [1] * len(dilation)
    sizes = weight.size()[2:]
    return dilation, [d * (k - 1) + 1 for d, k in zip(dilation, sizes, strict=True)]


def _plain(padding: Padding, axes: int) -> bool:
    """Whether torch takes the padding as it is: as much before as after each axis."""
    return len(padding) == axes and not isinstance(padding, str) and min(padding) >= 0  # type: ignore[operator,type-var]


def _extra(
    op_type: str, output_size: Sequence[int], least: Sequence[int], stride: Sequence[int]
) -> list[int]:
    extra = [n - m for n, m in zip(output_size, least, strict=True)]
    if not all(0 <= e < s for e, s in zip(extra, stride, strict=True)):
        raise EnforceNotMet(
            f"{op_type}: `output_size` must be from {list(least)} to "
            f"{[m + s - 1 for m, s in zip(least, stride, strict=True)]}, but received "
            f"{list(output_size)}."
        )
    return extra


def _check_channels(op_type: str, input: Tensor, channels: int, weight: Tensor, last: bool) -> None:
    if input.size(-1 if last else 1) != channels:
        raise EnforceNotMet(
            f"{op_type}: `input` must have {channels} channels, as the weight "
            f"{list(weight.size())} says, but received shape {list(input.size())}."
        ) from None


def _operator(
    op_type: str, function: Callable[..., Tensor], convolve: Callable[..., Tensor]
) -> Callable[..., Any]:
    decorate = operator(op_type, direct=True, input=FLOAT, weight=FLOAT, bias=optional(FLOAT))
    return decorate(partial(function, op_type, convolve))


conv2d = _operator("conv2d", _convolve, torch.conv2d)
conv3d = _operator("conv3d", _convolve, torch.conv3d)
conv2d_transpose = _operator("conv2d_transpose", _convolve_back, torch.conv_transpose2d)
conv3d_transpose = _operator("conv3d_transpose", _convolve_back, torch.conv_transpose3d)
