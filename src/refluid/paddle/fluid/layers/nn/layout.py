"""Functions that rearrange elements without computing with them.

Results that could share the memory of a variable which a program may overwrite are copies, as in
Paddle: `view=True` below.
May import: torch, core_avx, framework, layers.argument.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import ANY, NUMBER, many, operator
from refluid.paddle.fluid.core_avx.ops.activation import activate, check_act
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.framework import in_dygraph_mode
from refluid.paddle.fluid.layers.argument import as_variable, axes_of, axis_of, integers

__all__ = [
    "diag_embed",
    "expand",
    "expand_as",
    "flatten",
    "flip",
    "meshgrid",
    "reshape",
    "roll",
    "split",
    "squeeze",
    "stack",
    "t",
    "transpose",
    "unsqueeze",
    "unstack",
]


@operator("reshape2", view=True, direct=True, x=ANY)
def reshape(
    x: Tensor,
    shape: Sequence[int],
    actual_shape: Any = None,
    act: str | None = None,
    inplace: bool = False,
    name: str | None = None,
) -> Tensor:
    """Give the elements another shape, then apply the activation `act`.

    Same as Paddle 1.8.

    Args:
        x: any shape.
        shape: sizes; one may be -1 (the rest), and 0 means the size of x at that place.
        actual_shape: accepted for compatibility.
        act: name of an activation.
        inplace: accepted for compatibility; the dynamic graph never works in place.
        name: accepted for compatibility.

    Raises:
        TypeError: `shape` is not a list of ints.
        EnforceNotMet: it does not hold the elements of x.
    """
    if inplace:
        warnings.warn("reshape: `inplace` has no effect in the dynamic graph.", stacklevel=3)
    sizes = integers("reshape", "shape", shape)
    if 0 in sizes:
        if not all(n != 0 or k < x.dim() for k, n in enumerate(sizes)):
            raise EnforceNotMet(
                f"reshape: a 0 in `shape` {sizes} stands where `x` {list(x.size())} has no "
                "dimension."
            )
        sizes = [n or x.size(k) for k, n in enumerate(sizes)]
    if not bool(sizes):
        raise EnforceNotMet("reshape: `shape` must not be empty.")
    return activate(torch.reshape(x, sizes), check_act(act))


@operator("transpose2", view=True, direct=True, x=ANY)
def transpose(x: Tensor, perm: Sequence[int], name: str | None = None) -> Tensor:
    """Reorder the dimensions: dimension k of the result is dimension perm[k] of x.

    Same as Paddle 1.8.
    """
    order = integers("transpose", "perm", perm)
    if sorted(order) != list(range(x.dim())):
        raise EnforceNotMet(
            f"transpose: `perm` must hold each of 0 to {x.dim() - 1} once for `x` "
            f"{list(x.size())}, but received {order}."
        )
    return torch.permute(x, order)


@operator("t", view=True, direct=True, input=ANY)
def t(input: Tensor, name: str | None = None) -> Tensor:
    """Transpose a matrix; a vector stays as it is.

    Same as Paddle 1.8.

    Raises:
        ValueError: `input` has more than two dimensions.
    """
    if input.dim() > 2:
        raise ValueError(
            f"t: `input` must have at most 2 dimensions, but received shape "
            f"{list(input.size())}; use transpose."
        )
    return torch.t(input)


@operator("squeeze2", view=True, direct=True, input=ANY)
def squeeze(input: Tensor, axes: Sequence[int], name: str | None = None) -> Tensor:
    """Drop dimensions of size 1.

    Same as Paddle 1.8.

    Args:
        input: any shape.
        axes: which; [] means all of size 1.
        name: accepted for compatibility.

    Raises:
        EnforceNotMet: one of them has another size.
    """
    wanted = integers("squeeze", "axes", axes)
    if not wanted:
        kept = [n for n in input.size() if n != 1] or [1]
        return torch.reshape(input, kept)
    dims = axes_of("squeeze", "axes", wanted, input.dim())
    if not all(input.size(d) == 1 for d in dims):
        raise EnforceNotMet(
            f"squeeze: the dimensions {wanted} of `input` {list(input.size())} must have size 1."
        )
    return torch.squeeze(input, tuple(dims))


@operator("unsqueeze2", view=True, direct=True, input=ANY)
def unsqueeze(input: Tensor, axes: int | Sequence[int], name: str | None = None) -> Tensor:
    """Insert dimensions of size 1, one after the other.

    Same as Paddle 1.8.

    Args:
        input: any shape.
        axes: where they stand in the result; ints, or Variables of shape [1].
        name: accepted for compatibility.
    """
    if not isinstance(axes, (int, list, tuple, Tensor)):
        raise TypeError(
            f"unsqueeze: `axes` must be an int or a list of ints, but received {axes!r}."
        )
    if isinstance(axes, Tensor):
        axes = [int(a) for a in axes.flatten().tolist()]
    result = input
    for axis in [axes] if isinstance(axes, int) else axes:
        result = torch.unsqueeze(result, axis_of("unsqueeze", "axes", axis, result.dim() + 1))
    return torch.clone(input) if result is input else result


@operator("flatten2", view=True, direct=True, x=ANY)
def flatten(x: Tensor, axis: int = 1, name: str | None = None) -> Tensor:
    """Make a matrix: dimensions before `axis` become rows, the others columns.

    Same as Paddle 1.8.

    Raises:
        ValueError: `axis` is no int in [0, rank].
    """
    if not isinstance(axis, int) or not 0 <= axis <= x.dim():
        raise ValueError(f"flatten: `axis` must lie in [0, {x.dim()}], but received {axis!r}.")
    rows = math.prod(x.size()[:axis])
    return torch.reshape(x, (rows, math.prod(x.size()[axis:])))


@operator("expand", direct=True, x=ANY)
def expand(x: Tensor, expand_times: Sequence[int] | Tensor, name: str | None = None) -> Tensor:
    """Repeat x along each dimension as often as `expand_times` says.

    Same as Paddle 1.8: outside of `fluid.dygraph.guard()` it may be a variable, too.
    """
    if isinstance(expand_times, Tensor) and not in_dygraph_mode():
        expand_times = expand_times.tolist()
    times = integers("expand", "expand_times", expand_times)
    if len(times) != x.dim() or min(times, default=1) < 1:
        raise EnforceNotMet(
            f"expand: `expand_times` must hold {x.dim()} positive ints, one for each dimension of "
            f"`x` {list(x.size())}, but received {times}."
        )
    return x.repeat(times)


@operator("expand_as", direct=True, x=ANY, target_tensor=ANY)
def expand_as(x: Tensor, target_tensor: Tensor, name: str | None = None) -> Tensor:
    """Repeat x until it has the shape of `target_tensor`. Same as Paddle 1.8."""
    sizes, wanted = x.size(), target_tensor.size()
    times = [n // max(m, 1) for n, m in zip(wanted, sizes, strict=False)]
    grown = [m * n for m, n in zip(sizes, times, strict=False)]
    if len(sizes) != len(wanted) or grown != list(wanted):
        raise EnforceNotMet(
            f"expand_as: each size of `x` {list(sizes)} must divide that of `target_tensor` "
            f"{list(wanted)}."
        )
    return x.repeat(times)


@operator("stack", direct=True, x=many(ANY))
def stack(x: Tensor | Sequence[Tensor], axis: int = 0) -> Tensor:
    """Join variables of one shape along a new dimension. Same as Paddle 1.8."""
    tensors = [x] if isinstance(x, Tensor) else list(x)
    return torch.stack(tensors, axis_of("stack", "axis", axis, tensors[0].dim() + 1))


@operator("unstack", direct=True, x=ANY)
def unstack(x: Tensor, axis: int = 0, num: int | None = None) -> list[Tensor]:
    """Cut x into its parts along `axis`, which disappears.

    Same as Paddle 1.8.

    Raises:
        EnforceNotMet: `num` is given and is not the size of that dimension.
    """
    axis = axis_of("unstack", "axis", axis, x.dim())
    if not (num is None or num == x.size(axis)):
        raise EnforceNotMet(
            f"unstack: `num` must be {x.size(axis)}, the size of dimension {axis} of `x` "
            f"{list(x.size())}, but received {num}."
        )
    return list(torch.unbind_copy(x, axis))  # type: ignore[arg-type]


@operator("split", direct=True, input=ANY)
def split(
    input: Tensor,
    num_or_sections: int | Sequence[int],
    dim: int | Tensor = -1,
    name: str | None = None,
) -> list[Tensor]:
    """Cut `input` into pieces along a dimension.

    Same as Paddle 1.8.

    Args:
        input: any shape.
        num_or_sections: the number of equal pieces, or the size of each; one size may be -1.
        dim: the dimension.
        name: accepted for compatibility.

    Raises:
        TypeError: `num_or_sections` is neither an int nor a list of ints.
        EnforceNotMet: the pieces do not fit.
    """
    axis = axis_of("split", "dim", dim, input.dim())
    size = input.size(axis)
    if isinstance(num_or_sections, int):
        if not (num_or_sections > 0 and size % num_or_sections == 0):
            raise EnforceNotMet(
                f"split: `num_or_sections` must divide {size}, the size of dimension {axis} of "
                f"`input` {list(input.size())}, but received {num_or_sections}."
            )
        return list(torch.split_copy(input, size // num_or_sections, axis))  # type: ignore[arg-type]
    sections = integers("split", "num_or_sections", num_or_sections)
    if sections.count(-1) == 1:
        rest = size - sum(n for n in sections if n != -1)
        sections = [rest if n == -1 else n for n in sections]
    if min(sections, default=0) < 1 or sum(sections) != size:
        raise EnforceNotMet(
            f"split: the sizes in `num_or_sections` must be positive and add up to {size}, the "
            f"size of dimension {axis} of `input` {list(input.size())}, but received "
            f"{num_or_sections}."
        )
    return list(torch.split_with_sizes_copy(input, sections, axis))  # type: ignore[arg-type]


@operator("flip", direct=True, input=ANY)
def flip(input: Tensor, dims: int | Sequence[int], name: str | None = None) -> Tensor:
    """Reverse the order of the elements along the dimensions `dims`. Same as Paddle 1.8."""
    return torch.flip(input, axes_of("flip", "dims", dims, input.dim()))


@operator("roll", direct=True, input=NUMBER)
def roll(
    input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None
) -> Tensor:
    """Move the elements along the dimensions `dims`; those pushed out come in at the start.

    Same as Paddle 1.8: without `dims` they move through the flattened variable.
    """
    steps = [shifts] if isinstance(shifts, int) else list(shifts)
    if dims is None:
        return torch.roll(input, steps)
    return torch.roll(input, steps, [dims] if isinstance(dims, int) else list(dims))


@operator("meshgrid", direct=True, input=many(NUMBER))
def meshgrid(input: Sequence[Tensor], name: str | None = None) -> list[Tensor]:
    """Repeat N vectors so that together they run through all N-tuples. Same as Paddle 1.8."""
    return [torch.clone(grid) for grid in torch.meshgrid(*input, indexing="ij")]


def diag_embed(
    input: VarBase | np.ndarray, offset: int = 0, dim1: int = -2, dim2: int = -1
) -> VarBase:
    """Make matrices with the last dimension of `input` on a diagonal, zeros elsewhere.

    Same as Paddle 1.8; no gradient flows.

    Args:
        input: [..., N], a variable or an array.
        offset: which diagonal; above the main one for positive numbers.
        dim1: where the rows stand in the result.
        dim2: where the columns stand.
    """
    return _diag_embed(as_variable(input), offset, dim1, dim2)


@operator("diag_embed", direct=True, input=NUMBER)
def _diag_embed(input: Tensor, offset: int, dim1: int, dim2: int) -> Tensor:
    return torch.diag_embed(torch.detach(input), offset, dim1, dim2)
