"""Making images and volumes larger or smaller by interpolation.

B batch, C channels, D depth, H height, W width.
May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.operator import FLOAT, describe, operator
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.nn.argument import one_of
from refluid.paddle.fluid.layers.argument import number, size_of

__all__ = [
    "image_resize",
    "image_resize_short",
    "interpolate",
    "resize_bilinear",
    "resize_nearest",
    "resize_trilinear",
]

_RANKS = {"BILINEAR": 4, "NEAREST": 4, "TRILINEAR": 5}
_FORMATS = {4: ("NCHW", "NHWC"), 5: ("NCDHW", "NDHWC")}


def image_resize(
    input: VarBase,
    out_shape: Sequence[Any] | VarBase | None = None,
    scale: float | VarBase | None = None,
    name: str | None = None,
    resample: str = "BILINEAR",
    actual_shape: VarBase | None = None,
    align_corners: bool = True,
    align_mode: int = 1,
    data_format: str = "NCHW",
) -> VarBase:
    """Resize images or volumes.

    Same as Paddle 1.8.

    Args:
        input: float [B, C, H, W], or [B, C, D, H, W] for "TRILINEAR"; or channels last.
        out_shape: H, W or D, H, W of the result: ints, Variables of shape [1], or one Variable.
        scale: if there is no `out_shape`, by how much to enlarge.
        name: accepted for compatibility.
        resample: "BILINEAR", "NEAREST" or "TRILINEAR".
        actual_shape: a Variable that replaces `out_shape`.
        align_corners: the outermost pixels keep their places.
        align_mode: without `align_corners`, 0 aligns the edges of the outermost pixels, 1 their
            first corners.
        data_format: "NCHW", "NHWC", "NCDHW" or "NDHWC".

    Raises:
        ValueError: an argument is none of these, or the rank does not fit to `resample`.
        TypeError: an argument is of another type.
    """
    one_of(resample, tuple(_RANKS), "resample")
    if not isinstance(input, VarBase):
        raise TypeError(f"image_resize: `input` must be a Variable, not {describe(input)}.")
    if input.dim() != _RANKS[resample]:
        raise ValueError(
            f"image_resize: `input` must have {_RANKS[resample]} dimensions for {resample}, but "
            f"received shape {input.shape}."
        )
    if not isinstance(align_corners, bool):
        raise TypeError(f"image_resize: `align_corners` must be a bool, not {align_corners!r}.")
    if align_mode not in (0, 1):
        raise ValueError(f"image_resize: `align_mode` must be 0 or 1, but is {align_mode!r}.")
    one_of(data_format, _FORMATS[input.dim()], "data_format")
    last = data_format[-1] == "C"
    sizes = _result_sizes(input, out_shape, scale, actual_shape, last)
    mode = "nearest" if resample == "NEAREST" else "linear"
    return _resize(input, sizes, mode, align_corners, align_mode, last)


def _result_sizes(
    input: VarBase, out_shape: Any, scale: Any, actual_shape: Any, last: bool
) -> list[int]:
    old = input.shape[1:-1] if last else input.shape[2:]
    if actual_shape is not None:
        if not isinstance(actual_shape, Tensor):
            raise TypeError(
                f"image_resize: `actual_shape` must be a Variable, not {actual_shape!r}."
            )
        warnings.warn("image_resize: use `out_shape` instead of `actual_shape`.", stacklevel=3)
        sizes = size_of("image_resize", "actual_shape", actual_shape)
    elif out_shape is not None:
        sizes = size_of("image_resize", "out_shape", out_shape)
    elif scale is not None:
        if not isinstance(scale, (int, float, Tensor)):
            raise TypeError(f"image_resize: `scale` must be a number, but received {scale!r}.")
        sizes = [int(n * float(number(scale))) for n in old]
    else:
        raise ValueError("image_resize: `out_shape` or `scale` must be given.")
    if len(sizes) != len(old) or min(sizes) < 1:
        raise ValueError(
            f"image_resize: the new size must be {len(old)} ints above 0, but received {sizes}."
        )
    return sizes


@operator("interpolate", direct=True, input=FLOAT)
def _resize(
    input: Tensor, sizes: list[int], mode: str, align_corners: bool, align_mode: int, last: bool
) -> Tensor:
    x = input.movedim(-1, 1) if last else input
    if mode == "linear" and (align_corners or align_mode == 0):
        kind = "bilinear" if x.dim() == 4 else "trilinear"
        x = functional.interpolate(x, sizes, mode=kind, align_corners=align_corners)
    else:
        resize_axis = _nearest if mode == "nearest" else _linear
        for axis, size in enumerate(sizes, start=2):
            x = resize_axis(x, axis, size, align_corners)
    return x.movedim(1, -1) if last else x


# the two ways along one axis that torch does not have


def _nearest(x: Tensor, axis: int, size: int, align_corners: bool) -> Tensor:
    return x.index_select(axis, _places(x.size(axis), size, align_corners, x.device)[0])


def _linear(x: Tensor, axis: int, size: int, align_corners: bool) -> Tensor:
    _, low, high, weight = _places(x.size(axis), size, align_corners, x.device)
    below, above = x.index_select(axis, low), x.index_select(axis, high)
    weight = weight.to(below.dtype).reshape([-1] + [1] * (x.dim() - axis - 1))
    return below * (1 - weight) + above * weight


@functools.lru_cache(maxsize=64)
@torch.inference_mode(False)  # or a later backward pass could not use them
def _places(
    old: int, size: int, align_corners: bool, device: torch.device
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the nearest of `old` places for each of `size`, those below and above, the weight."""
    if align_corners:
        ratio = (old - 1) / (size - 1) if size > 1 else 0.0
    else:
        ratio = old / size
    places = torch.arange(size, device=device, dtype=torch.float32) * ratio
    nearest = (places + 0.5 if align_corners else places).long().clamp(max=old - 1)
    low = places.long().clamp(max=old - 1)
    return nearest, low, (low + 1).clamp(max=old - 1), places - low


def interpolate(
    input: VarBase,
    out_shape: Sequence[Any] | VarBase | None = None,
    scale: float | VarBase | None = None,
    name: str | None = None,
    resample: str = "BILINEAR",
    actual_shape: VarBase | None = None,
    align_corners: bool = True,
    align_mode: int = 1,
    data_format: str = "NCHW",
) -> VarBase:
    """Resize images or volumes; the other name of `image_resize`. Same as Paddle 1.8."""
    return image_resize(
        input, out_shape, scale, name, resample, actual_shape, align_corners, align_mode,
        data_format,
    )  # fmt: skip


def resize_bilinear(
    input: VarBase,
    out_shape: Sequence[Any] | VarBase | None = None,
    scale: float | VarBase | None = None,
    name: str | None = None,
    actual_shape: VarBase | None = None,
    align_corners: bool = True,
    align_mode: int = 1,
    data_format: str = "NCHW",
) -> VarBase:
    """Resize images [B, C, H, W] bilinearly; arguments as for `image_resize`.

    Same as Paddle 1.8.
    """
    return image_resize(
        input, out_shape, scale, name, "BILINEAR", actual_shape, align_corners, align_mode,
        data_format,
    )  # fmt: skip


def resize_nearest(
    input: VarBase,
    out_shape: Sequence[Any] | VarBase | None = None,
    scale: float | VarBase | None = None,
    name: str | None = None,
    actual_shape: VarBase | None = None,
    align_corners: bool = True,
    data_format: str = "NCHW",
) -> VarBase:
    """Resize images [B, C, H, W] to the nearest pixels; arguments as for `image_resize`.

    Same as Paddle 1.8.
    """
    return image_resize(
        input, out_shape, scale, name, "NEAREST", actual_shape, align_corners, 1, data_format
    )


def resize_trilinear(
    input: VarBase,
    out_shape: Sequence[Any] | VarBase | None = None,
    scale: float | VarBase | None = None,
    name: str | None = None,
    actual_shape: VarBase | None = None,
    align_corners: bool = True,
    align_mode: int = 1,
    data_format: str = "NCDHW",
) -> VarBase:
    """Resize volumes [B, C, D, H, W] trilinearly; arguments as for `image_resize`.

    Same as Paddle 1.8.
    """
    return image_resize(
        input, out_shape, scale, name, "TRILINEAR", actual_shape, align_corners, align_mode,
        data_format,
    )  # fmt: skip


def image_resize_short(input: VarBase, out_short_len: int, resample: str = "BILINEAR") -> VarBase:
    """Resize images so that their shorter side has a given length.

    Same as Paddle 1.8.

    Args:
        input: float [B, C, H, W].
        out_short_len: new length of the shorter side; the other keeps its proportion to it.
        resample: "BILINEAR" or "NEAREST".

    Raises:
        ValueError: `input` has not four dimensions.
    """
    if len(input.shape) != 4:
        raise ValueError(
            f"image_resize_short: `input` must have 4 dimensions, but has shape {input.shape}."
        )
    height, width = input.shape[2:]
    factor = out_short_len / min(height, width)
    if height <= width:
        sizes = [out_short_len, int(width * factor + 0.5)]
    else:
        sizes = [int(height * factor + 0.5), out_short_len]
    return image_resize(input, sizes, resample=resample)
