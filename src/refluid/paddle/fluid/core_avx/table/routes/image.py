"""Convolution, pooling, resizing, rearranging of images. May import: torch, errors, core_avx.

The layout "AnyLayout" is what Paddle calls the usual one, channels first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from refluid.errors import UnsupportedFluidAPI
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INTEGER, operator
from refluid.paddle.fluid.core_avx.table.route import op, route
from refluid.paddle.fluid.core_avx.table.routes.layout import ints

__all__ = ["layout_of"]


def layout_of(given: str, usual: str = "NCHW") -> str:
    """Return a layout of images by its name; "AnyLayout" is the usual one."""
    return usual if given.lower() in ("anylayout", "nchw") else given


def _padding(paddings: list[int], padding_algorithm: str) -> Any:
    return paddings if padding_algorithm == "EXPLICIT" else padding_algorithm


def _convolution(name: str, usual: str) -> Callable[..., Any]:
    def convolve(
        Input: Tensor,
        Filter: Tensor,
        strides: list[int],
        paddings: list[int],
        padding_algorithm: str,
        groups: int,
        dilations: list[int],
        data_format: str,
    ) -> Any:
        around = _padding(paddings, padding_algorithm)
        layout = layout_of(data_format, usual)
        return getattr(op, name)(
            Input, Filter, None, strides, around, dilations, groups, None, layout
        )

    return convolve


def _convolution_back(name: str, usual: str) -> Callable[..., Any]:
    def convolve(
        Input: Tensor,
        Filter: Tensor,
        output_size: list[int],
        strides: list[int],
        paddings: list[int],
        padding_algorithm: str,
        groups: int,
        dilations: list[int],
        data_format: str,
    ) -> Any:
        around = _padding(paddings, padding_algorithm)
        layout = layout_of(data_format, usual)
        sizes = output_size or None
        return getattr(op, name)(
            Input, Filter, None, strides, around, dilations, groups, sizes, None, layout
        )

    return convolve


route("conv2d", _convolution("conv2d", "NCHW"))
route("depthwise_conv2d", _convolution("conv2d", "NCHW"))
route("conv3d", _convolution("conv3d", "NCDHW"))
route("conv2d_transpose", _convolution_back("conv2d_transpose", "NCHW"))
route("depthwise_conv2d_transpose", _convolution_back("conv2d_transpose", "NCHW"))
route("conv3d_transpose", _convolution_back("conv3d_transpose", "NCDHW"))

# --- pooling ------------------------------------------------------------------------------------


def _pooling(axes: int, usual: str) -> Callable[..., Any]:
    def pool(
        X: Tensor,
        pooling_type: str,
        ksize: list[int],
        global_pooling: bool,
        strides: list[int],
        paddings: list[int],
        exclusive: bool,
        adaptive: bool,
        ceil_mode: bool,
        data_format: str,
        padding_algorithm: str,
    ) -> Any:
        layout = layout_of(data_format, usual)
        if adaptive:
            if layout != usual or pooling_type == "max":
                # Paddle's own functions take max_pool2d_with_index for this
                raise UnsupportedFluidAPI(
                    f"refluid's operator `pool{axes}d` does `adaptive` pooling only by average and "
                    f"in the layout {usual}."
                )
            return getattr(op, f"adaptive_pool{axes}d")(X, ksize, pooling_type)
        around = _padding(paddings, padding_algorithm)
        return getattr(op, f"pool{axes}d")(
            X, ksize, pooling_type, strides, around, global_pooling, ceil_mode, exclusive, layout
        )

    return pool


route("pool2d", _pooling(2, "NCHW"))
route("pool3d", _pooling(3, "NCDHW"))

_MAX: dict[int, Callable[..., Any]] = {2: functional.max_pool2d, 3: functional.max_pool3d}


def _max_with_places(
    x: Tensor, ksize: list[int], strides: list[int], paddings: list[int], global_pooling: bool
) -> tuple[Tensor, Tensor]:
    """Pool by maximum; the places count through a flat plane or volume, int32."""
    axes = x.dim() - 2
    if global_pooling:
        ksize, paddings = list(x.size()[2:]), [0] * axes
    pooled, places = _MAX[axes](x, ksize, strides, paddings, return_indices=True)
    return pooled, places.to(torch.int32)


@operator("max_pool2d_with_index", x=FLOAT)
def _max2d(x: Tensor, *settings: Any) -> tuple[Tensor, Tensor]:
    return _max_with_places(x, *settings)


@operator("max_pool3d_with_index", x=FLOAT)
def _max3d(x: Tensor, *settings: Any) -> tuple[Tensor, Tensor]:
    return _max_with_places(x, *settings)


def _max_pooling(axes: int) -> Callable[..., Any]:
    def pool(
        X: Tensor,
        ksize: list[int],
        strides: list[int],
        paddings: list[int],
        global_pooling: bool,
        adaptive: bool,
    ) -> Any:
        if adaptive:
            return getattr(op, f"adaptive_pool{axes}d")(X, ksize, "max", True)
        return getattr(op, f"max_pool{axes}d_with_index")(
            X, ksize, strides, paddings, global_pooling
        )

    return pool


route("max_pool2d_with_index", _max_pooling(2))
route("max_pool3d_with_index", _max_pooling(3))


@operator("unpool", x=FLOAT, indices=INTEGER)
def _unpool(x: Tensor, indices: Tensor, sizes: list[int]) -> Tensor:
    """Put each element back where its maximum was in a plane of the given size, zeros elsewhere."""
    planes = x.new_zeros(x.size(0), x.size(1), sizes[0] * sizes[1])
    return planes.scatter(2, indices.flatten(2).long(), x.flatten(2)).unflatten(2, sizes)


def _unpooling(
    X: Tensor,
    Indices: Tensor,
    ksize: list[int],
    strides: list[int],
    paddings: list[int],
    unpooling_type: str,
) -> Any:
    if unpooling_type != "max":
        raise EnforceNotMet(f'unpool: `unpooling_type` must be "max", not {unpooling_type!r}.')
    sizes = [
        (n - 1) * s - 2 * p + k
        for n, s, p, k in zip(X.size()[2:], strides, paddings, ksize, strict=True)
    ]
    return op.unpool(X, Indices, sizes)


route("unpool", _unpooling)

# --- resizing -----------------------------------------------------------------------------------


def _resize(
    X: Tensor,
    OutSize: Tensor | None,
    SizeTensor: list[Tensor] | None,
    Scale: Tensor | None,
    data_layout: str,
    out_d: int,
    out_h: int,
    out_w: int,
    scale: float,
    interp_method: str,
    align_corners: bool,
    align_mode: int,
) -> Any:
    last = layout_of(data_layout) in ("NHWC", "NDHWC")
    old = list(X.size()[1:-1] if last else X.size()[2:])
    sizes = [out_d, out_h, out_w][-len(old) :]
    factor = scale if Scale is None else float(Scale.item())
    if SizeTensor:
        sizes = ints(None, SizeTensor, [])
    elif OutSize is not None:
        sizes = ints(OutSize, None, [])
    elif factor > 0:
        sizes = [int(n * factor) for n in old]
    ranks = {"nearest": 4, "bilinear": 4, "bicubic": 4, "trilinear": 5}
    if min(sizes) < 1 or len(sizes) != len(old) or ranks.get(interp_method) != X.dim():
        raise EnforceNotMet(
            f"interpolation: the new size must be {len(old)} ints above 0 and `interp_method` fit "
            f"to the dimensions of {list(X.size())}, but received {sizes} and {interp_method!r}."
        )
    if interp_method == "bicubic":
        return op.bicubic_interp(X, sizes, align_corners, last)
    mode = "nearest" if interp_method == "nearest" else "linear"
    return op.interpolate(X, sizes, mode, align_corners, align_mode, last)


@operator("bicubic_interp", x=FLOAT)
def _bicubic(x: Tensor, sizes: list[int], align_corners: bool, last: bool) -> Tensor:
    channels_first = x.movedim(-1, 1) if last else x
    made = functional.interpolate(
        channels_first, sizes, mode="bicubic", align_corners=align_corners
    )
    return made.movedim(1, -1) if last else made


for _name in ("bicubic_interp", "bilinear_interp", "nearest_interp", "trilinear_interp"):
    route(_name, _resize)

# --- rearranging --------------------------------------------------------------------------------

route("affine_channel", lambda X, Scale, Bias, data_layout: op.affine_channel(
    X, Scale, Bias, layout_of(data_layout)
))  # fmt: skip
route("affine_grid", lambda Theta, OutputShape, output_shape: op.affine_grid(
    Theta, ints(OutputShape, None, output_shape)
))  # fmt: skip
route("grid_sampler", lambda X, Grid: op.grid_sampler(X, Grid))
route("pixel_shuffle", lambda X, upscale_factor: op.pixel_shuffle(X, upscale_factor))
route("shuffle_channel", lambda X, group: op.shuffle_channel(X, group))
route("space_to_depth", lambda X, blocksize: op.space_to_depth(X, blocksize))
route("temporal_shift", lambda X, seg_num, shift_ratio: op.temporal_shift(X, seg_num, shift_ratio))
route("unfold", lambda X, kernel_sizes, strides, paddings, dilations: op.unfold(
    X, kernel_sizes, strides, paddings, dilations
))  # fmt: skip
