"""Order and questions: which elements are largest, and are they numbers.

May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.operator import ANY, NUMBER, operator
from refluid.paddle.fluid.layers.argument import axes_of, axis_of

__all__ = ["argmax", "argmin", "argsort", "has_inf", "has_nan", "isfinite", "reverse"]


@operator("arg_max", direct=True, x=NUMBER)
def argmax(x: Tensor, axis: int = 0) -> Tensor:
    """Return the positions of the largest elements along `axis`, of equal ones the first; int64.

    Same as Paddle 1.8; note that the axis is 0 by default.
    """
    return _position("argmax", torch.argmax, x, axis)


@operator("arg_min", direct=True, x=NUMBER)
def argmin(x: Tensor, axis: int = 0) -> Tensor:
    """Return the positions of the smallest elements along `axis`, of equal ones the first; int64.

    Same as Paddle 1.8; note that the axis is 0 by default.
    """
    return _position("argmin", torch.argmin, x, axis)


def _position(op_type: str, function: Any, x: Tensor, axis: int) -> Tensor:
    found = function(x, axis_of(op_type, "axis", axis, x.dim()))
    return found if found.dim() else torch.unsqueeze(found, 0)


@operator("argsort", direct=True, input=NUMBER)
def argsort(
    input: Tensor, axis: int = -1, descending: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Sort along `axis`; equal elements keep their order.

    Same as Paddle 1.8.

    Returns:
        The sorted elements, and the position each came from, int64.
    """
    axis = axis_of("argsort", "axis", axis, input.dim())
    values, positions = torch.sort(input, dim=axis, descending=descending, stable=True)
    return values, positions


@operator("reverse", direct=True, x=ANY)
def reverse(x: Tensor, axis: int | Sequence[int]) -> Tensor:
    """Reverse the order of the elements along the dimensions `axis`. Same as Paddle 1.8."""
    if not isinstance(axis, (int, list, tuple)):
        raise TypeError(f"reverse: `axis` must be an int or a list, but received {axis!r}.")
    return torch.flip(x, axes_of("reverse", "axis", axis, x.dim()))


@operator("isfinite", direct=True, x=NUMBER)
def isfinite(x: Tensor) -> Tensor:
    """Return a bool [1]: whether no element is infinite or NaN. Same as Paddle 1.8."""
    return torch.unsqueeze(torch.all(torch.isfinite(x)), 0)


@operator("isinf", direct=True, x=NUMBER)
def has_inf(x: Tensor) -> Tensor:
    """Return [1]: whether an element is infinite. Same as Paddle 1.8."""
    return torch.unsqueeze(torch.any(torch.isinf(x)), 0)


@operator("isnan", direct=True, x=NUMBER)
def has_nan(x: Tensor) -> Tensor:
    """Return [1]: whether an element is NaN. Same as Paddle 1.8."""
    return torch.unsqueeze(torch.any(torch.isnan(x)), 0)
