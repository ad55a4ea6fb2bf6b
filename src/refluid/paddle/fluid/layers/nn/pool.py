"""Pooling. B batch, C channels, D depth, H height, W width.

May import: torch, core_avx, dygraph.nn.argument, layers.nn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator
from refluid.paddle.fluid.core_avx.ops import pool
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.nn.argument import (
    check_use_cudnn,
    one_of,
    per_axis,
    positive_per_axis,
)
from refluid.paddle.fluid.layers.nn.conv import window_padding

__all__ = ["adaptive_pool2d", "adaptive_pool3d", "pool2d", "pool3d"]

_TYPES = ("max", "avg")


def pool2d(
    input: VarBase,
    pool_size: int | Sequence[int] = -1,
    pool_type: str = "max",
    pool_stride: int | Sequence[int] = 1,
    pool_padding: Any = 0,
    global_pooling: bool = False,
    use_cudnn: bool = True,
    ceil_mode: bool = False,
    name: str | None = None,
    exclusive: bool = True,
    data_format: str = "NCHW",
) -> VarBase:
    """Pool image planes by maximum or average.

    Same as Paddle 1.8; note that the stride is 1 by default.

    Args:
        input: float [B, C, H, W], or [B, H, W, C] with "NHWC".
        pool_size: kh, kw, or one number for both; needed unless `global_pooling`.
        pool_type: "max" or "avg".
        pool_stride: distance of the windows.
        pool_padding: rows and columns added around; or "SAME", "VALID", four ints, four pairs.
        global_pooling: one window covers the plane.
        use_cudnn: accepted for compatibility.
        ceil_mode: round the number of windows up.
        name: accepted for compatibility.
        exclusive: an average divides by the elements inside the image only.
        data_format: "NCHW" or "NHWC".

    Raises:
        ValueError: an argument is none of these.
    """
    one_of(data_format, ("NCHW", "NHWC"), "data_format")
    return _pool(2, pool.pool2d, input, pool_size, pool_type, pool_stride, pool_padding,
                 global_pooling, use_cudnn, ceil_mode, exclusive, data_format)  # fmt: skip


def pool3d(
    input: VarBase,
    pool_size: int | Sequence[int] = -1,
    pool_type: str = "max",
    pool_stride: int | Sequence[int] = 1,
    pool_padding: Any = 0,
    global_pooling: bool = False,
    use_cudnn: bool = True,
    ceil_mode: bool = False,
    name: str | None = None,
    exclusive: bool = True,
    data_format: str = "NCDHW",
) -> VarBase:
    """Pool volumes [B, C, D, H, W] by maximum or average; arguments as for `pool2d`.

    Same as Paddle 1.8.
    """
    one_of(data_format, ("NCDHW", "NDHWC"), "data_format")
    return _pool(3, pool.pool3d, input, pool_size, pool_type, pool_stride, pool_padding,
                 global_pooling, use_cudnn, ceil_mode, exclusive, data_format)  # fmt: skip


def _pool(
    axes: int,
    function: Any,
    input: VarBase,
    pool_size: Any,
    pool_type: str,
    stride: Any,
    padding: Any,
    global_pooling: bool,
    use_cudnn: bool,
    ceil_mode: bool,
    exclusive: bool,
    data_format: str,
) -> VarBase:
    one_of(pool_type, _TYPES, "pool_type")
    check_use_cudnn(use_cudnn)
    if global_pooling is False and pool_size == -1:
        raise ValueError("`pool_size` must be given unless `global_pooling` is True.")
    if isinstance(padding, str) and padding.upper() == "VALID" and ceil_mode:
        raise ValueError('`ceil_mode` must be False with the padding "VALID".')
    sizes = per_axis(pool_size, axes, "pool_size")
    strides = positive_per_axis(stride, axes, "pool_stride")
    return function(input, sizes, pool_type, strides, window_padding(padding, axes),
                    global_pooling, ceil_mode, exclusive, data_format)  # fmt: skip


@operator("adaptive_pool2d", direct=True, input=FLOAT)
def adaptive_pool2d(
    input: Tensor,
    pool_size: int | Sequence[int],
    pool_type: str = "max",
    require_index: bool = False,
    name: str | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Pool image planes so that the result has a given size.

    Same as Paddle 1.8.

    Args:
        input: float [B, C, H, W].
        pool_size: H', W', or one number for both.
        pool_type: "max" or "avg".
        require_index: return the places of the maxima in the flat planes too.
        name: accepted for compatibility.

    Returns:
        [B, C, H', W']; with `require_index` a pair of it and int32 [B, C, H', W'].

    Raises:
        ValueError: `pool_type` is neither, or is "avg" with `require_index`.
    """
    return _adapt("adaptive_pool2d", 2, input, pool_size, pool_type, require_index)


@operator("adaptive_pool3d", direct=True, input=FLOAT)
def adaptive_pool3d(
    input: Tensor,
    pool_size: int | Sequence[int],
    pool_type: str = "max",
    require_index: bool = False,
    name: str | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Pool volumes [B, C, D, H, W] to a given size; arguments as for `adaptive_pool2d`.

    Same as Paddle 1.8.
    """
    return _adapt("adaptive_pool3d", 3, input, pool_size, pool_type, require_index)


_ADAPTIVE: dict[tuple[str, int], Callable[..., Any]] = {
    ("max", 2): functional.adaptive_max_pool2d,
    ("max", 3): functional.adaptive_max_pool3d,
    ("avg", 2): functional.adaptive_avg_pool2d,
    ("avg", 3): functional.adaptive_avg_pool3d,
}


def _adapt(
    op_type: str, axes: int, input: Tensor, pool_size: Any, pool_type: str, require_index: bool
) -> Tensor | tuple[Tensor, Tensor]:
    one_of(pool_type, _TYPES, "pool_type")
    if pool_type == "avg" and require_index:
        raise ValueError('`require_index` must be False for the pool_type "avg".')
    if input.dim() != axes + 2:
        raise EnforceNotMet(
            f"{op_type}: `input` must have {axes + 2} dimensions, but received shape "
            f"{list(input.size())}."
        )
    sizes = positive_per_axis(pool_size, axes, "pool_size")
    if not require_index:
        return _ADAPTIVE[pool_type, axes](input, sizes)
    pooled, places = _ADAPTIVE[pool_type, axes](input, sizes, return_indices=True)
    return pooled, places.to(torch.int32)
