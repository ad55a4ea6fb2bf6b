"""Rearranging and sampling images. B batch, C channels, H height, W width.

May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import ANY, FLOAT, operator
from refluid.paddle.fluid.dygraph.nn.argument import per_axis
from refluid.paddle.fluid.layers.argument import size_of

__all__ = [
    "affine_grid",
    "fsp_matrix",
    "grid_sampler",
    "pixel_shuffle",
    "shuffle_channel",
    "space_to_depth",
    "temporal_shift",
    "unfold",
]


def _check_image(op_type: str, name: str, x: Tensor) -> None:
    if x.dim() != 4:
        raise EnforceNotMet(
            f"{op_type}: `{name}` must have 4 dimensions, but received shape {list(x.size())}."
        )


@operator("shuffle_channel", x=FLOAT)
def shuffle_channel(x: Tensor, group: int, name: str | None = None) -> Tensor:
    """Put the first channel of each group first, then the second of each, and so on.

    Same as Paddle 1.8. Source: Zhang et al. 2018 (ShuffleNet).

    Args:
        x: float [B, C, H, W].
        group: how many groups.
        name: accepted for compatibility.

    Raises:
        TypeError: `group` is not an int.
    """
    if not isinstance(group, int):
        raise TypeError(f"shuffle_channel: `group` must be an int, but received {group!r}.")
    _check_image("shuffle_channel", "x", x)
    channels = x.size(1)
    if group < 1 or channels % group:
        raise EnforceNotMet(
            f"shuffle_channel: `group` must divide the {channels} channels of `x`, but received "
            f"{group}."
        )
    return x.unflatten(1, (group, channels // group)).transpose(1, 2).flatten(1, 2)


@operator("space_to_depth", direct=True, x=ANY)
def space_to_depth(x: Tensor, blocksize: int, name: str | None = None) -> Tensor:
    """Make images smaller and give them more channels.

    Same as Paddle 1.8, whose order of elements is that of the reorganization in YOLOv2.

    Args:
        x: [B, C, H, W].
        blocksize: s; H and W must be multiples of it, C of its square.
        name: accepted for compatibility.

    Returns:
        [B, C * s * s, H / s, W / s].

    Raises:
        ValueError: `blocksize` is not an int.
    """
    if not isinstance(blocksize, int):
        raise ValueError(f"space_to_depth: `blocksize` must be an int, not {blocksize!r}.")
    _check_image("space_to_depth", "x", x)
    b, c, h, w = x.size()
    s = blocksize
    if s < 2 or h % s or w % s or c % (s * s):
        raise EnforceNotMet(
            f"space_to_depth: `blocksize` must be above 1 and divide height and width, and its "
            f"square the channels of `x` {list(x.size())}, but received {s}."
        )
    spread = x.reshape(b, s, s, c // (s * s), h, w).permute(0, 3, 4, 1, 5, 2)
    return spread.reshape(b, c * s * s, h // s, w // s)


@operator("pixel_shuffle", direct=True, x=FLOAT)
def pixel_shuffle(x: Tensor, upscale_factor: int) -> Tensor:
    """Make images larger and take the pixels from more channels.

    Same as Paddle 1.8. Source: Shi et al. 2016.

    Args:
        x: float [B, C * r * r, H, W].
        upscale_factor: r.

    Returns:
        [B, C, H * r, W * r].

    Raises:
        TypeError: `upscale_factor` is not an int.
    """
    if not isinstance(upscale_factor, int):
        raise TypeError(f"pixel_shuffle: `upscale_factor` must be an int, not {upscale_factor!r}.")
    _check_image("pixel_shuffle", "x", x)
    return functional.pixel_shuffle(x, upscale_factor)


@operator("temporal_shift", x=FLOAT)
def temporal_shift(
    x: Tensor, seg_num: int, shift_ratio: float = 0.25, name: str | None = None
) -> Tensor:
    """Give some channels of each frame those of the frame before, and some those after.

    Same as Paddle 1.8. Source: Lin et al. 2019 (TSM).

    Args:
        x: float [B * T, C, H, W].
        seg_num: T, how many frames there are in a sequence.
        shift_ratio: the share of the channels from before, and of those from after; below 0.5.
        name: accepted for compatibility.

    Raises:
        TypeError: `seg_num` is not an int.
    """
    if not isinstance(seg_num, int):
        raise TypeError(f"temporal_shift: `seg_num` must be an int, but received {seg_num!r}.")
    _check_image("temporal_shift", "x", x)
    if seg_num < 1 or x.size(0) % seg_num or not 0.0 < shift_ratio < 0.5:
        raise EnforceNotMet(
            f"temporal_shift: `seg_num` must divide the {x.size(0)} frames of `x`, and "
            f"`shift_ratio` lie between 0 and 0.5, but received {seg_num} and {shift_ratio}."
        )
    frames = x.reshape(-1, seg_num, *x.size()[1:])
    one, two = int(x.size(1) * shift_ratio), int(x.size(1) * 2 * shift_ratio)
    before = functional.pad(frames[:, :-1, :one], (0, 0, 0, 0, 0, 0, 1, 0))
    after = functional.pad(frames[:, 1:, one:two], (0, 0, 0, 0, 0, 0, 0, 1))
    return torch.cat([before, after, frames[:, :, two:]], 2).flatten(0, 1)


@operator("unfold", direct=True, x=FLOAT)
def unfold(
    x: Tensor,
    kernel_sizes: int | list[int],
    strides: int | list[int] = 1,
    paddings: int | list[int] = 0,
    dilations: int | list[int] = 1,
    name: str | None = None,
) -> Tensor:
    """Write each window of an image as a column.

    Same as Paddle 1.8.

    Args:
        x: float [B, C, H, W].
        kernel_sizes: kh, kw, or one number for both.
        strides: likewise.
        paddings: likewise; or above, to the left, below, to the right.
        dilations: likewise.
        name: accepted for compatibility.

    Returns:
        [B, C * kh * kw, number of windows].
    """
    _check_image("unfold", "x", x)
    sizes = per_axis(kernel_sizes, 2, "kernel_sizes")
    steps, distances = per_axis(strides, 2, "strides"), per_axis(dilations, 2, "dilations")
    if isinstance(paddings, (list, tuple)) and len(paddings) == 4:
        top, left, bottom, right = paddings
        x, widths = functional.pad(x, (left, right, top, bottom)), [0, 0]
    else:
        widths = per_axis(paddings, 2, "paddings")
    return functional.unfold(x, tuple(sizes), tuple(distances), tuple(widths), tuple(steps))


@operator("affine_grid", direct=True, theta=FLOAT)
def affine_grid(
    theta: Tensor, out_shape: Sequence[int] | Tensor, name: str | None = None
) -> Tensor:
    """Return where the pixels of an affinely transformed image come from, for `grid_sampler`.

    Same as Paddle 1.8: the corners -1 and 1 are the centres of the outermost pixels.

    Args:
        theta: float [B, 2, 3].
        out_shape: B, C, H, W of the image; ints or a Variable.
        name: accepted for compatibility.

    Returns:
        [B, H, W, 2], positions (x, y).
    """
    sizes = size_of("affine_grid", "out_shape", out_shape)
    if len(sizes) != 4 or list(theta.size()) != [sizes[0], 2, 3]:
        raise EnforceNotMet(
            "affine_grid: `theta` must be [B, 2, 3] and `out_shape` hold B, C, H, W, but received "
            f"{list(theta.size())} and {sizes}."
        )
    return functional.affine_grid(theta, sizes, align_corners=True)


@operator("grid_sampler", direct=True, x=FLOAT, grid=FLOAT)
def grid_sampler(x: Tensor, grid: Tensor, name: str | None = None) -> Tensor:
    """Take the pixels of an image from given positions, bilinearly, zeros outside.

    Same as Paddle 1.8. Source: Jaderberg et al. 2015.

    Args:
        x: float [B, C, H, W].
        grid: float [B, H', W', 2], positions (x, y); -1 and 1 are the outermost pixels.
        name: accepted for compatibility.

    Returns:
        [B, C, H', W'].
    """
    _check_image("grid_sampler", "x", x)
    return functional.grid_sample(x, grid, "bilinear", "zeros", align_corners=True)


@operator("fsp", direct=True, x=FLOAT, y=FLOAT)
def fsp_matrix(x: Tensor, y: Tensor) -> Tensor:
    """Return how the channels of two feature maps go together, averaged over the image.

    Same as Paddle 1.8. Source: Yim et al. 2017, "A gift from knowledge distillation".

    Args:
        x: [B, C, H, W].
        y: [B, K, H, W].

    Returns:
        [B, C, K].
    """
    if not (x.dim() == y.dim() == 4 and x.size(0) == y.size(0) and x.size()[2:] == y.size()[2:]):
        raise EnforceNotMet(
            "fsp_matrix: `x` and `y` must be [B, C, H, W] and [B, K, H, W], but received "
            f"{list(x.size())} and {list(y.size())}."
        )
    flat_x, flat_y = torch.flatten(x, 2), torch.flatten(y, 2)
    return torch.bmm(flat_x, flat_y.transpose(1, 2)) / flat_x.size(2)
