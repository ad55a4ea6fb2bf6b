"""Making variables larger or smaller at their edges. B batch, C channels, H height, W width.

May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import ANY, FLOAT, operator
from refluid.paddle.fluid.dygraph.nn.argument import one_of
from refluid.paddle.fluid.layers.argument import integers, size_of

__all__ = ["crop", "crop_tensor", "pad", "pad2d", "pad_constant_like"]

_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}


@operator("pad", direct=True, x=ANY)
def pad(
    x: Tensor, paddings: Sequence[int], pad_value: float = 0.0, name: str | None = None
) -> Tensor:
    """Add elements of one value around x.

    Same as Paddle 1.8.

    Args:
        x: any shape.
        paddings: two numbers for each dimension: how many before it, how many after it.
        pad_value: their value.
        name: accepted for compatibility.
    """
    widths = integers("pad", "paddings", paddings)
    if len(widths) != 2 * x.dim() or min(widths, default=0) < 0:
        raise EnforceNotMet(
            f"pad: `paddings` must hold {2 * x.dim()} numbers from 0 on, two for each dimension "
            f"of `x` {list(x.size())}, but received {widths}."
        )
    return functional.pad(x, _from_last(widths), value=pad_value)


def _from_last(widths: Sequence[int]) -> list[int]:
    """Return pairs of widths in the order that torch takes them in: last dimension first."""
    return [widths[k + end] for k in range(len(widths) - 2, -1, -2) for end in (0, 1)]


@operator("pad2d", direct=True, input=FLOAT)
def pad2d(
    input: Tensor,
    paddings: Sequence[int] | Tensor = [0, 0, 0, 0],  # noqa: B006  (Paddle's own default)
    mode: str = "constant",
    pad_value: float = 0.0,
    data_format: str = "NCHW",
    name: str | None = None,
) -> Tensor:
    """Add rows and columns around images, or cut some off.

    Same as Paddle 1.8.

    Args:
        input: float [B, C, H, W], or [B, H, W, C] with "NHWC".
        paddings: how many above, below, to the left, to the right; ints or a Variable. So many are
            cut off where a number is negative.
        mode: "constant", "reflect" (mirrored at the edge, which is not repeated) or "edge".
        pad_value: the value for "constant".
        data_format: "NCHW" or "NHWC".
        name: accepted for compatibility.

    Raises:
        ValueError: `mode` or `data_format` is none of these.
        EnforceNotMet: shape or paddings do not fit.
    """
    one_of(mode, tuple(_MODES), "mode")
    one_of(data_format, ("NCHW", "NHWC"), "data_format")
    given = paddings.tolist() if isinstance(paddings, Tensor) else paddings
    widths = integers("pad2d", "paddings", given)
    if input.dim() != 4 or len(widths) != 4:
        raise EnforceNotMet(
            "pad2d: `input` must have 4 dimensions and `paddings` 4 numbers, but received shape "
            f"{list(input.size())} and {widths}."
        )
    x = input.movedim(-1, 1) if data_format == "NHWC" else input
    fill = {"value": pad_value} if mode == "constant" else {}
    # what is mirrored or repeated may be cut off at the other side
    padded = functional.pad(x, _from_last([max(w, 0) for w in widths]), _MODES[mode], **fill)
    if min(widths) < 0:
        padded = functional.pad(padded, _from_last([min(w, 0) for w in widths]))
    return padded.movedim(1, -1) if data_format == "NHWC" else padded


@operator("pad_constant_like", direct=True, x=ANY, y=ANY)
def pad_constant_like(
    x: Tensor, y: Tensor, pad_value: float = 0.0, name: str | None = None
) -> Tensor:
    """Add elements of one value behind y until it has the shape of x. Same as Paddle 1.8."""
    behind = [n - m for n, m in zip(x.size(), y.size(), strict=False)]
    if x.dim() != y.dim() or min(behind, default=0) < 0:
        raise EnforceNotMet(
            f"pad_constant_like: `y` {list(y.size())} must fit into `x` {list(x.size())}."
        )
    widths = [width for n in behind for width in (0, n)]
    return functional.pad(y, _from_last(widths), value=pad_value)


@operator("crop", direct=True, x=FLOAT)
def crop(
    x: Tensor,
    shape: Sequence[int] | Tensor | None = None,
    offsets: Sequence[int] | Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """Cut a piece out of x.

    Same as Paddle 1.8.

    Args:
        x: any shape.
        shape: sizes of the piece, or a Variable of that shape.
        offsets: where the piece begins, a list or a Variable of ints; by default at 0.
        name: accepted for compatibility.

    Raises:
        EnforceNotMet: the piece does not lie within x.
    """
    sizes = list(shape.size()) if isinstance(shape, Tensor) else integers("crop", "shape", shape)
    return _cut("crop", x, sizes, offsets)


@operator("crop_tensor", direct=True, x=ANY)
def crop_tensor(
    x: Tensor,
    shape: Sequence[Any] | Tensor | None = None,
    offsets: Sequence[Any] | Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """Cut a piece out of x.

    Same as Paddle 1.8.

    Args:
        x: any shape.
        shape: sizes of the piece, ints or Variables of shape [1], or one Variable of sizes; -1
            means all up to the end.
        offsets: where the piece begins, in the same forms; by default at 0.
        name: accepted for compatibility.

    Raises:
        EnforceNotMet: the piece does not lie within x.
    """
    given = shape.tolist() if isinstance(shape, Tensor) else shape
    if not isinstance(given, (list, tuple)):
        raise TypeError(f"crop_tensor: `shape` must be a list or a Variable, not {shape!r}.")
    return _cut("crop_tensor", x, [int(n) for n in given], offsets)


def _cut(op_type: str, x: Tensor, sizes: list[int], offsets: Any) -> Tensor:
    starts = [0] * x.dim() if offsets is None else size_of(op_type, "offsets", offsets)
    fits, piece = len(sizes) == len(starts) == x.dim(), x
    for dim, (start, n, whole) in enumerate(zip(starts, sizes, x.size(), strict=False)):
        length = whole - start if n == -1 else n
        fits = fits and 0 < length <= whole - start
        if fits and length < whole:
            piece = torch.narrow(piece, dim, start, length)
    if not fits:
        raise EnforceNotMet(
            f"{op_type}: a piece of `shape` {sizes} at `offsets` {starts} must lie within `x` "
            f"{list(x.size())}."
        )
    return torch.clone(piece)
