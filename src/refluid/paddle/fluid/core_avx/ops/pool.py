"""Pooling. B batch, C channels, D depth, H height, W width.

torch's kernels do the work. Where their rules differ from Paddle's (windows that lie wholly in the
padding or outside, more padding before an axis than after it, wide padding) the input is padded by
hand first. May import: torch, operator, rectify, variable, window.
"""

from __future__ import annotations

import functools
import math
from typing import TypeGuard

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator
from refluid.paddle.fluid.core_avx.ops.rectify import max_pool2d_of_rectified
from refluid.paddle.fluid.core_avx.ops.window import Padding, pad_pairs, pad_widths
from refluid.paddle.fluid.core_avx.variable import plain

__all__ = ["pool2d", "pool3d"]

_MAX = {2: torch.max_pool2d, 3: torch.max_pool3d}
_AVERAGE = {2: functional.avg_pool2d, 3: functional.avg_pool3d}


@operator("pool2d", direct=True, input=FLOAT)
def pool2d(
    input: Tensor,
    pool_size: list[int],
    pool_type: str,
    stride: list[int],
    padding: Padding,
    global_pooling: bool,
    ceil_mode: bool,
    exclusive: bool,
    data_format: str = "NCHW",
) -> Tensor:
    """Pool image planes by maximum or average.

    A window without any element gives the smallest number as maximum and nan as average, as in
    Paddle.

    Args:
        input: float [B, C, H, W], or [B, H, W, C] if `data_format` is "NHWC".
        pool_size: [kh, kw]; the whole plane if `global_pooling`.
        pool_type: "max" or "avg".
        stride: [sh, sw].
        padding: [ph, pw], or any other form that `window.pad_pairs` takes.
        global_pooling: one window covers the plane.
        ceil_mode: round the number of windows up.
        exclusive: an average divides by the elements inside the image only, otherwise by kh * kw.
        data_format: "NCHW" or "NHWC".

    Returns:
        [B, C, H', W'] in the layout of `input`.
    """
    return _pool("pool2d", 2, input, pool_size, pool_type, stride, padding, global_pooling,
                 ceil_mode, exclusive, data_format)  # fmt: skip


@operator("pool3d", direct=True, input=FLOAT)
def pool3d(
    input: Tensor,
    pool_size: list[int],
    pool_type: str,
    stride: list[int],
    padding: Padding,
    global_pooling: bool,
    ceil_mode: bool,
    exclusive: bool,
    data_format: str = "NCDHW",
) -> Tensor:
    """Pool volumes [B, C, D, H, W] by maximum or average; arguments as for `pool2d`."""
    return _pool("pool3d", 3, input, pool_size, pool_type, stride, padding, global_pooling,
                 ceil_mode, exclusive, data_format)  # fmt: skip


def _pool(
    op_type: str,
    axes: int,
    input: Tensor,
    pool_size: list[int],
    pool_type: str,
    stride: list[int],
    padding: Padding,
    global_pooling: bool,
    ceil_mode: bool,
    exclusive: bool,
    data_format: str,
) -> Tensor:
    if input.dim() != axes + 2:
        raise EnforceNotMet(
            f"{op_type}: `input` must have {axes + 2} dimensions, but received shape "
            f"{list(input.size())}."
        )
    last = data_format[-1] == "C"
    x = input.movedim(-1, 1) if last else input
    if global_pooling:
        pool_size, padding = list(x.size()[2:]), [0] * axes
    if not ceil_mode and _even(padding, pool_size):
        try:
            out = _pool_by_torch(x, pool_size, pool_type, stride, padding, False, exclusive)
            return out.movedim(1, -1) if last else out
        except RuntimeError:
            pass  # what does not fit is found out below
    sizes = x.size()[2:]
    pairs = pad_pairs(padding, sizes, pool_size, stride)
    window = tuple(pool_size), tuple(stride)
    counts, by_torch = _windows(sizes, tuple(pairs), *window, bool(ceil_mode))
    if min(counts) <= 0:
        raise EnforceNotMet(
            f"{op_type}: `pool_size` must fit into the padded input, but received windows of "
            f"{list(pool_size)} for an input of shape {list(input.size())} padded by {pairs}."
        )
    if by_torch:
        around = [before for before, _ in pairs]
        out = _pool_by_torch(x, pool_size, pool_type, stride, around, ceil_mode, exclusive)
    else:
        out = _pool_padded(x, pool_size, pool_type, stride, pairs, counts, exclusive)
    return out.movedim(1, -1) if last else out


def _even(padding: Padding, pool_size: list[int]) -> TypeGuard[list[int]]:
    """Whether axes are padded by as much before as after, at most half a window."""
    if isinstance(padding, str) or len(padding) != len(pool_size):
        return False
    for pad, size in zip(padding, pool_size, strict=True):
        if type(pad) is not int or not 0 <= 2 * pad <= size:
            return False
    return True


@functools.lru_cache(maxsize=1024)
def _windows(
    sizes: tuple[int, ...],
    pairs: tuple[tuple[int, int], ...],
    pool_size: tuple[int, ...],
    stride: tuple[int, ...],
    ceil_mode: bool,
) -> tuple[tuple[int, ...], bool]:
    """Return the numbers of windows along each axis, and whether torch takes the padding."""
    axes = list(zip(sizes, pairs, pool_size, stride, strict=True))
    counts = [(n + b + a - k + (s - 1 if ceil_mode else 0)) // s + 1 for n, (b, a), k, s in axes]
    plain = all(
        b == a and 2 * b <= k and (c - 1) * s < n + b
        for (n, (b, a), k, s), c in zip(axes, counts, strict=True)
    )
    return tuple(counts), plain


def _channels_last(grad: Tensor) -> Tensor:
    return grad.contiguous(memory_format=torch.channels_last)


def _pool_by_torch(
    x: Tensor,
    pool_size: list[int],
    pool_type: str,
    stride: list[int],
    padding: list[int],
    ceil_mode: bool,
    exclusive: bool,
) -> Tensor:
    if pool_type == "max":
        if x.dim() == 4 and x.stride(1) == 1 and x.requires_grad:
            out = max_pool2d_of_rectified(x, pool_size, stride, padding, ceil_mode)
            if out is not None:
                return out
        out = _MAX[len(pool_size)](x, pool_size, stride, padding, 1, ceil_mode)
        if out.requires_grad and out.dim() == 4 and out.stride(1) == 1:
            # a gradient laid out otherwise, as a reshape gives it, takes torch a slower way
            out.register_hook(_channels_last)
        return out
    # torch's own count would clip windows that ceil_mode lets reach beyond the padding
    divisor = None if exclusive else math.prod(pool_size)
    return _AVERAGE[len(pool_size)](x, pool_size, stride, padding, ceil_mode, False, divisor)


def _pool_padded(
    x: Tensor,
    pool_size: list[int],
    pool_type: str,
    stride: list[int],
    pairs: list[tuple[int, int]],
    counts: tuple[int, ...],
    exclusive: bool,
) -> Tensor:
    """Pool an input that is padded, or cut, to the reach of the windows."""
    x = plain(x)  # its element type is torch's, not Paddle's
    sizes = x.size()[2:]
    reach = [
        (before, (c - 1) * s + k - n - before)
        for n, (before, _), k, s, c in zip(sizes, pairs, pool_size, stride, counts, strict=True)
    ]
    least = torch.finfo(x.dtype).min if pool_type == "max" else 0.0
    padded = functional.pad(x, pad_widths(reach), value=least)
    if pool_type == "max":
        return _MAX[len(pairs)](padded, pool_size, stride)
    total = _AVERAGE[len(pairs)](padded, pool_size, stride, divisor_override=1)
    if not exclusive:
        return total / math.prod(pool_size)
    number = torch.ones((), dtype=total.dtype, device=total.device)
    for axis in range(len(pairs)):
        first = torch.arange(counts[axis], device=total.device) * stride[axis] - pairs[axis][0]
        inside = (first + pool_size[axis]).clamp(max=sizes[axis]) - first.clamp(min=0)
        shape = [1] * axis + [-1] + [1] * (len(pairs) - axis - 1)
        number = number * inside.reshape(shape)
    return total / number
