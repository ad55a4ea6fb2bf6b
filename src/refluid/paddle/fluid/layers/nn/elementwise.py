"""Functions of two variables, element by element, and of one with numbers.

Shapes are broadcast both ways. With `axis`, the dimensions of the smaller variable stand at that
axis of the larger one: [2, 3, 4] and [3] fit with axis 1. Same as Paddle 1.8.
May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import BOOL, FLOAT, NUMBER, describe, many, operator
from refluid.paddle.fluid.core_avx.ops.activation import activate, check_act
from refluid.paddle.fluid.layers.argument import number, unlinked, write

__all__ = [
    "addcmul",
    "clamp",
    "clip",
    "clip_by_norm",
    "elementwise_add",
    "elementwise_div",
    "elementwise_equal",
    "elementwise_floordiv",
    "elementwise_max",
    "elementwise_min",
    "elementwise_mod",
    "elementwise_mul",
    "elementwise_pow",
    "elementwise_sub",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "scale",
    "sum",
]


def _combine(
    op_type: str,
    function: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    y: Tensor,
    axis: int,
    act: str | None,
) -> Tensor:
    """Apply `function` with the smaller variable's dimensions at `axis` of the larger one."""
    if axis != -1 and x.dim() != y.dim():
        large, small = (x, y) if x.dim() > y.dim() else (y, x)
        behind = large.dim() - axis - small.dim()
        if not (axis >= 0 and behind >= 0):
            raise EnforceNotMet(
                f"{op_type}: `axis` {axis} leaves no room for the dimensions {list(small.size())} "
                f"within {list(large.size())}."
            )
        placed = torch.reshape(small, [*small.size(), *[1] * behind])
        x, y = (x, placed) if small is y else (placed, y)
    return activate(function(x, y), check_act(act))


def _divide(x: Tensor, y: Tensor) -> Tensor:
    if torch.is_floating_point(x):
        return torch.div(x, y)
    if not bool(torch.all(torch.ne(y, 0))):
        raise EnforceNotMet("elementwise_div: `y` must hold no 0.")
    return torch.div(x, y, rounding_mode="trunc")


def _larger(x: Tensor, y: Tensor) -> Tensor:
    # torch.maximum would halve the gradient between equal elements; Paddle gives it to y
    return torch.where(torch.gt(x, y), x, y)


def _smaller(x: Tensor, y: Tensor) -> Tensor:
    return torch.where(torch.lt(x, y), x, y)


def _floor_divide(x: Tensor, y: Tensor) -> Tensor:
    if not bool(torch.all(torch.ne(y, 0))):
        raise EnforceNotMet("elementwise_floordiv: `y` must hold no 0.")
    return torch.div(x, y, rounding_mode="trunc")


def _power(x: Tensor, y: Tensor) -> Tensor:
    if torch.is_floating_point(x):
        return torch.pow(x, y)
    # torch refuses negative exponents of integers; Paddle truncates the power
    return torch.pow(x.double(), y).type_as(x)


@operator("elementwise_add", direct=True, x=NUMBER, y=NUMBER)
def elementwise_add(
    x: Tensor, y: Tensor, axis: int = -1, act: str | None = None, name: str | None = None
) -> Tensor:
    """Return x + y, then the activation `act`."""
    return _combine("elementwise_add", torch.add, x, y, axis, act)


@operator("elementwise_sub", direct=True, x=NUMBER, y=NUMBER)
def elementwise_sub(
    x: Tensor, y: Tensor, axis: int = -1, act: str | None = None, name: str | None = None
) -> Tensor:
    """Return x - y, then the activation `act`."""
    return _combine("elementwise_sub", torch.sub, x, y, axis, act)


@operator("elementwise_mul", direct=True, x=NUMBER, y=NUMBER)
def elementwise_mul(
    x: Tensor, y: Tensor, axis: int = -1, act: str | None = None, name: str | None = None
) -> Tensor:
    """Return x * y, then the activation `act`."""
    return _combine("elementwise_mul", torch.mul, x, y, axis, act)


@operator("elementwise_div", direct=True, x=NUMBER, y=NUMBER)
def elementwise_div(
    x: Tensor, y: Tensor, axis: int = -1, act: str | None = None, name: str | None = None
) -> Tensor:
    """Return x / y, whole numbers cut towards 0, then the activation `act`."""
    return _combine("elementwise_div", _divide, x, y, axis, act)


@operator("elementwise_max", direct=True, x=NUMBER, y=NUMBER)
def elementwise_max(
    x: Tensor, y: Tensor, axis: int = -1, act: str | None = None, name: str | None = None
) -> Tensor:
    """Return the larger one; where they are equal the gradient goes to y. Then `act`."""
    return _combine("elementwise_max", _larger, x, y, axis, act)


@operator("elementwise_min", direct=True, x=NUMBER, y=NUMBER)
def elementwise_min(
    x: Tensor, y: Tensor, axis: int = -1, act: str | None = None, name: str | None = None
) -> Tensor:
    """Return the smaller one; where they are equal the gradient goes to y. Then `act`."""
    return _combine("elementwise_min", _smaller, x, y, axis, act)


@operator("elementwise_pow", direct=True, x=NUMBER, y=NUMBER)
def elementwise_pow(
    x: Tensor, y: Tensor, axis: int = -1, act: str | None = None, name: str | None = None
) -> Tensor:
    """Return x to the power of y, then the activation `act`."""
    return _combine("elementwise_pow", _power, x, y, axis, act)


@operator("elementwise_mod", direct=True, x=NUMBER, y=NUMBER)
def elementwise_mod(
    x: Tensor, y: Tensor, axis: int = -1, act: str | None = None, name: str | None = None
) -> Tensor:
    """Return the remainder of x / y, of the sign of x, then the activation `act`."""
    return _combine("elementwise_mod", torch.fmod, x, y, axis, act)


@operator("elementwise_floordiv", direct=True, x=NUMBER, y=NUMBER)
def elementwise_floordiv(
    x: Tensor, y: Tensor, axis: int = -1, act: str | None = None, name: str | None = None
) -> Tensor:
    """Return x / y cut towards 0, then the activation `act`."""
    return _combine("elementwise_floordiv", _floor_divide, x, y, axis, act)


@operator("elementwise_equal", direct=True, x=NUMBER, y=NUMBER)
def elementwise_equal(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """Return a bool: whether x and y are equal."""
    return torch.eq(x, y)


@operator("logical_and", direct=True, x=BOOL, y=BOOL)
def logical_and(x: Tensor, y: Tensor, out: Tensor | None = None, name: str | None = None) -> Tensor:
    """Return whether both bools are True; it is written to `out` too if given."""
    return write(torch.logical_and(x, y), out)


@operator("logical_or", direct=True, x=BOOL, y=BOOL)
def logical_or(x: Tensor, y: Tensor, out: Tensor | None = None, name: str | None = None) -> Tensor:
    """Return whether one of two bools is True; it is written to `out` too if given."""
    return write(torch.logical_or(x, y), out)


@operator("logical_xor", direct=True, x=BOOL, y=BOOL)
def logical_xor(x: Tensor, y: Tensor, out: Tensor | None = None, name: str | None = None) -> Tensor:
    """Return whether two bools differ; it is written to `out` too if given."""
    return write(torch.logical_xor(x, y), out)


@operator("logical_not", direct=True, x=BOOL)
def logical_not(x: Tensor, out: Tensor | None = None, name: str | None = None) -> Tensor:
    """Return whether a bool is False; it is written to `out` too if given."""
    return write(torch.logical_not(x), out)


@operator("scale", direct=True, x=NUMBER)
def scale(
    x: Tensor,
    scale: float | Tensor = 1.0,
    bias: float = 0.0,
    bias_after_scale: bool = True,
    act: str | None = None,
    name: str | None = None,
) -> Tensor:
    """Return scale * x + bias.

    Same as Paddle 1.8, where `act` has no effect in the dynamic graph; whole numbers are
    multiplied and shifted by whole numbers.

    Args:
        x: any shape.
        scale: a number or a variable of shape [1].
        bias: a number.
        bias_after_scale: False computes scale * (x + bias).
        act: accepted for compatibility.
        name: accepted for compatibility.
    """
    factor, shift = number(scale), bias
    if not torch.is_floating_point(x):
        factor, shift = int(factor), int(shift)
    if shift == 0:
        return torch.mul(x, factor)
    if bias_after_scale:
        return torch.add(torch.mul(x, factor), shift)
    return torch.mul(torch.add(x, shift), factor)


@operator("clip", direct=True, x=FLOAT)
def clip(x: Tensor, min: float, max: float, name: str | None = None) -> Tensor:
    """Return x cut to [min, max]; the gradient at the bounds is 0. Same as Paddle 1.8.

    Raises:
        EnforceNotMet: `min` is not below `max`.
    """
    if min >= max:
        raise EnforceNotMet(f"clip: `min` must be below `max`, but received {min} and {max}.")
    return functional.hardtanh(x, min, max)


@operator("clip_by_norm", direct=True, x=FLOAT)
def clip_by_norm(x: Tensor, max_norm: float, name: str | None = None) -> Tensor:
    """Shrink x to the L2 norm `max_norm` if its norm is above.

    Same as Paddle 1.8, where no gradient goes through it.
    """
    if max_norm <= 0:
        raise EnforceNotMet(f"clip_by_norm: `max_norm` must be positive, but received {max_norm}.")
    values = torch.detach(x)
    norm = torch.linalg.vector_norm(values)
    return unlinked(values * torch.where(norm > max_norm, max_norm / norm, 1.0), x)


@operator("clamp", direct=True, input=FLOAT)
def clamp(
    input: Tensor,
    min: float | None = None,
    max: float | None = None,
    output: Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """Return `input` cut to [min, max]; a bound that is None does not cut.

    Differs from Paddle: without `min` negative numbers stay as they are; in Paddle they become 0.

    Raises:
        AssertionError: both bounds are None, or `min` is above `max`.
    """
    assert min is not None or max is not None, "clamp: `min` or `max` must be given."
    assert min is None or max is None or min <= max, (
        f"clamp: `min` must not be above `max`, but received {min} and {max}."
    )
    low = -math.inf if min is None else min
    high = math.inf if max is None else max
    return write(functional.hardtanh(input, low, high), output)


@operator("sum", direct=True, x=many(NUMBER))
def sum(x: Tensor | Sequence[Tensor]) -> Tensor:
    """Add up a list of variables of one shape; one variable alone is copied.

    Same as Paddle 1.8.
    """
    return add_up("sum", x)


def add_up(op_type: str, x: Tensor | Sequence[Tensor]) -> Tensor:
    """Return the sum of tensors of one shape; one tensor alone is copied."""
    if isinstance(x, Tensor):
        return torch.clone(x)
    if len(x) == 1:
        return torch.clone(x[0])
    if len(x) <= 0:
        raise EnforceNotMet(f"{op_type}: the list of variables must not be empty.")
    sizes = x[0].size()
    if not all(t.size() == sizes for t in x):
        raise EnforceNotMet(
            f"{op_type}: all variables must have one shape, but received {describe(x)}."
        )
    total = x[0]
    for tensor in x[1:]:
        total = torch.add(total, tensor)
    return total


@operator("addcmul", direct=True, input=NUMBER, tensor1=NUMBER, tensor2=NUMBER)
def addcmul(
    input: Tensor,
    tensor1: Tensor,
    tensor2: Tensor,
    value: float = 1.0,
    out: Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """Return input + value * tensor1 * tensor2. Same as Paddle 1.8."""
    product = torch.mul(torch.mul(tensor1, tensor2), value)
    return write(torch.add(input, product), out)
