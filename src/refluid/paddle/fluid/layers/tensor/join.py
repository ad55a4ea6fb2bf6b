"""Joining and converting variables.

May import: torch, core_avx, layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.dtype import to_torch_dtype
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import ANY, NUMBER, describe, many, operator
from refluid.paddle.fluid.core_avx.variable import VarBase, wrap
from refluid.paddle.fluid.layers.argument import axis_of, write
from refluid.paddle.fluid.layers.nn.elementwise import add_up
from refluid.paddle.fluid.layers.nn.layout import stack

__all__ = ["cast", "concat", "sums", "tensor_array_to_tensor"]


@operator("cast", x=ANY)
def cast(x: Tensor, dtype: Any) -> Tensor:
    """Return the values as another element type (a VarType, NumPy type or name).

    Same as Paddle 1.8; gradients come back as the element type of x.
    """
    return x.to(to_torch_dtype(dtype), copy=True)


@operator("concat", direct=True, input=many(ANY))
def concat(
    input: Tensor | Sequence[Tensor], axis: int | Tensor = 0, name: str | None = None
) -> Tensor:
    """Join variables along a dimension; their other sizes are equal.

    Same as Paddle 1.8: of one variable the rows are joined.
    """
    tensors = torch.unbind(input) if isinstance(input, Tensor) else input
    if len(tensors) <= 0:
        raise EnforceNotMet("concat: `input` must not be empty.")
    axis = axis_of("concat", "axis", axis, tensors[0].dim())
    ranks = {t.dim() for t in tensors}
    if not (
        len(ranks) == 1 and len({t.size()[:axis] + t.size()[axis + 1 :] for t in tensors}) == 1
    ):
        raise EnforceNotMet(
            f"concat: the variables in `input` must differ in dimension {axis} only, but received "
            f"{describe(list(tensors))}."
        )
    return torch.cat(list(tensors), axis)


def tensor_array_to_tensor(
    input: list[VarBase], axis: int = 1, name: str | None = None, use_stack: bool = False
) -> tuple[VarBase, VarBase]:
    """Join an array of variables along `axis`, or a new dimension there with `use_stack`.

    Same as Paddle 1.8.

    Returns:
        What is joined, and the size of each variable at `axis`, int32 or int64 [N].
    """
    assert isinstance(input, list), (
        f"tensor_array_to_tensor: `input` must be a list, but received {describe(input)}."
    )
    joined = stack(input, axis) if use_stack else concat(input, axis)
    sizes = torch.tensor([v.size(axis) for v in input], device=joined.device)
    return joined, wrap(sizes)


@operator("sums", direct=True, input=many(NUMBER))
def sums(input: Tensor | Sequence[Tensor], out: Tensor | None = None) -> Tensor:
    """Add up a list of variables of one shape. Same as Paddle 1.8.

    Args:
        input: variables of one shape and element type; one alone is copied.
        out: a variable to overwrite and return.
    """
    return write(add_up("sums", input), out)
