"""Checks of arguments that operators of several families share.

May import: torch, numpy, core_avx.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.tracer import current_place, note_result
from refluid.paddle.fluid.core_avx.variable import from_numpy

__all__ = [
    "as_variable",
    "axes_of",
    "axis_of",
    "integers",
    "number",
    "size_of",
    "sizes_like",
    "unlinked",
    "write",
]


def integers(op_type: str, name: str, value: Any) -> list[int]:
    """Return a list or tuple of ints as a list.

    Raises:
        TypeError: it is no list or tuple, or holds something else, such as a Variable.
    """
    if not isinstance(value, (list, tuple)):
        raise TypeError(
            f"{op_type}: `{name}` must be a list or tuple of ints, but received {describe(value)}."
        )
    if set(map(type, value)) <= {int}:
        return list(value)
    for entry in value:
        if isinstance(entry, Tensor) or not hasattr(entry, "__index__"):
            raise TypeError(
                f"{op_type}: `{name}` must hold ints in the dynamic graph, but holds "
                f"{describe(entry)}."
            )
    return [int(entry) for entry in value]


def size_of(op_type: str, name: str, value: Any) -> list[int]:
    """Return sizes given as ints, as one-element Variables, or as one Variable of them.

    Raises:
        TypeError: it is none of these.
        EnforceNotMet: a size is negative.
    """
    if isinstance(value, Tensor):
        value = [int(n) for n in value.reshape(-1).tolist()]
    elif isinstance(value, (list, tuple)) and set(map(type, value)) != {int}:
        value = [int(n) if isinstance(n, Tensor) else n for n in value]
    sizes = integers(op_type, name, value)
    if min(sizes, default=0) < 0:
        raise EnforceNotMet(
            f"{op_type}: `{name}` must hold no negative size, but received {sizes}."
        )
    return sizes


def sizes_like(
    op_type: str, like: Tensor, shape: Any, input_dim_idx: int, output_dim_idx: int
) -> list[int]:
    """Return `shape` with one size taken from a tensor."""
    sizes = integers(op_type, "shape", shape)
    output_dim = axis_of(op_type, "output_dim_idx", output_dim_idx, len(sizes))
    sizes[output_dim] = like.size(axis_of(op_type, "input_dim_idx", input_dim_idx, like.dim()))
    return sizes


def axis_of(op_type: str, name: str, axis: Any, rank: int) -> int:
    """Return an axis counted from the front; it may be a one-element Variable.

    Raises:
        EnforceNotMet: there is no such axis.
    """
    if type(axis) is not int:
        if not hasattr(axis, "__index__"):
            raise TypeError(f"{op_type}: `{name}` must be an int, but received {describe(axis)}.")
        axis = int(axis)
    if not -rank <= axis < rank:
        raise EnforceNotMet(
            f"{op_type}: `{name}` must lie in [{-rank}, {rank - 1}] for {rank} dimensions, but "
            f"received {axis}."
        )
    return axis + rank if axis < 0 else axis


def axes_of(op_type: str, name: str, dim: int | Sequence[int] | None, rank: int) -> list[int]:
    """Return axes counted from the front, in ascending order; None and [] mean all of them.

    Raises:
        EnforceNotMet: there is no such axis.
    """
    if dim is None:
        return list(range(rank))
    if type(dim) is int and 0 <= dim < rank:
        return [dim]
    dims = list(dim) if isinstance(dim, (list, tuple)) else [dim]
    return sorted({axis_of(op_type, name, d, rank) for d in dims}) or list(range(rank))


def as_variable(value: Any) -> Any:
    """Return a variable for an array; anything else as it is."""
    if isinstance(value, np.ndarray):
        return from_numpy(value, current_place())
    return value


def number(value: Any) -> Any:
    """Return a Python number: `value` itself, or the single element of a Variable."""
    return value.item() if isinstance(value, Tensor) else value


def unlinked(result: Tensor, source: Tensor) -> Tensor:
    """Return a constant that asks for gradients as `source` does, but hands none back to it."""
    wanted = torch.is_grad_enabled() and source.requires_grad
    return result.requires_grad_(wanted and result.is_floating_point())


def write(result: Tensor, output: Tensor | None) -> Tensor:
    """Return `result`, or the variable `output` overwritten by it, shape and dtype included.

    A variable becomes a part of the graph of `result`, if there is one. A parameter stays a leaf:
    gradients end at it.
    """
    if output is None:
        return result
    linked = result.requires_grad and not isinstance(output, torch.nn.Parameter)
    if output.is_leaf and (linked or not result.is_floating_point()):
        output.requires_grad_(False)
    # a new memory: whoever shares the old one keeps its values, as in Paddle
    if output.is_leaf and not linked:
        output.data = result.detach().clone()
        return output
    output.data = torch.empty_like(result)
    output.copy_(result)
    if linked:
        note_result(output)
    return output
