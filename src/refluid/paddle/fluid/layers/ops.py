"""Functions of one variable, element by element.

May import: torch, core_avx.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.operator import FLOAT, NUMBER, operator
from refluid.paddle.fluid.layers.argument import axis_of

__all__ = [
    "abs",
    "acos",
    "asin",
    "atan",
    "ceil",
    "cos",
    "cumsum",
    "erf",
    "exp",
    "floor",
    "gelu",
    "hard_shrink",
    "logsigmoid",
    "reciprocal",
    "round",
    "rsqrt",
    "sigmoid",
    "sin",
    "softplus",
    "softshrink",
    "softsign",
    "sqrt",
    "square",
    "tanh",
    "tanh_shrink",
    "thresholded_relu",
]


@operator("abs", direct=True, x=NUMBER)
def abs(x: Tensor, name: str | None = None) -> Tensor:
    """Return |x|; the gradient at 0 is 0. Same as Paddle 1.8."""
    return torch.abs(x)


@operator("acos", direct=True, x=FLOAT)
def acos(x: Tensor, name: str | None = None) -> Tensor:
    """Return the arc cosine of x, in [0, pi]. Same as Paddle 1.8."""
    return torch.acos(x)


@operator("asin", direct=True, x=FLOAT)
def asin(x: Tensor, name: str | None = None) -> Tensor:
    """Return the arc sine of x, in [-pi / 2, pi / 2]. Same as Paddle 1.8."""
    return torch.asin(x)


@operator("atan", direct=True, x=FLOAT)
def atan(x: Tensor, name: str | None = None) -> Tensor:
    """Return the arc tangent of x. Same as Paddle 1.8."""
    return torch.atan(x)


@operator("ceil", direct=True, x=FLOAT)
def ceil(x: Tensor, name: str | None = None) -> Tensor:
    """Round up to whole numbers; the gradient is 0. Same as Paddle 1.8."""
    return torch.ceil(x)


@operator("cos", direct=True, x=FLOAT)
def cos(x: Tensor, name: str | None = None) -> Tensor:
    """Return the cosine of x. Same as Paddle 1.8."""
    return torch.cos(x)


@operator("exp", direct=True, x=FLOAT)
def exp(x: Tensor, name: str | None = None) -> Tensor:
    """Return e to the power of x. Same as Paddle 1.8."""
    return torch.exp(x)


@operator("floor", direct=True, x=FLOAT)
def floor(x: Tensor, name: str | None = None) -> Tensor:
    """Round down to whole numbers; the gradient is 0. Same as Paddle 1.8."""
    return torch.floor(x)


@operator("logsigmoid", direct=True, x=FLOAT)
def logsigmoid(x: Tensor, name: str | None = None) -> Tensor:
    """Return log(1 / (1 + exp(-x))). Same as Paddle 1.8."""
    return functional.logsigmoid(x)


@operator("reciprocal", direct=True, x=FLOAT)
def reciprocal(x: Tensor, name: str | None = None) -> Tensor:
    """Return 1 / x. Same as Paddle 1.8."""
    return torch.reciprocal(x)


@operator("round", x=FLOAT)
def round(x: Tensor, name: str | None = None) -> Tensor:
    """Round to whole numbers, halves away from zero; the gradient is 0. Same as Paddle 1.8."""
    # torch.round goes to the even number at halves; trunc keeps the largest floats exact
    whole = torch.trunc(x)
    return whole + torch.trunc((x - whole) * 2.0)


@operator("rsqrt", direct=True, x=FLOAT)
def rsqrt(x: Tensor, name: str | None = None) -> Tensor:
    """Return 1 / sqrt(x). Same as Paddle 1.8."""
    return torch.rsqrt(x)


@operator("sigmoid", direct=True, x=FLOAT)
def sigmoid(x: Tensor, name: str | None = None) -> Tensor:
    """Return 1 / (1 + exp(-x)). Same as Paddle 1.8."""
    return torch.sigmoid(x)


@operator("sin", direct=True, x=FLOAT)
def sin(x: Tensor, name: str | None = None) -> Tensor:
    """Return the sine of x. Same as Paddle 1.8."""
    return torch.sin(x)


@operator("softplus", direct=True, x=FLOAT)
def softplus(x: Tensor, name: str | None = None) -> Tensor:
    """Return log(1 + exp(x)). Same as Paddle 1.8."""
    return functional.softplus(x)


@operator("softsign", direct=True, x=FLOAT)
def softsign(x: Tensor, name: str | None = None) -> Tensor:
    """Return x / (1 + |x|). Same as Paddle 1.8."""
    return torch.div(x, torch.abs(x) + 1.0)


@operator("sqrt", direct=True, x=FLOAT)
def sqrt(x: Tensor, name: str | None = None) -> Tensor:
    """Return the square root of x. Same as Paddle 1.8."""
    return torch.sqrt(x)


@operator("square", direct=True, x=NUMBER)
def square(x: Tensor, name: str | None = None) -> Tensor:
    """Return x * x. Same as Paddle 1.8."""
    return torch.mul(x, x)


@operator("tanh", direct=True, x=FLOAT)
def tanh(x: Tensor, name: str | None = None) -> Tensor:
    """Return the hyperbolic tangent of x. Same as Paddle 1.8."""
    return torch.tanh(x)


@operator("tanh_shrink", direct=True, x=FLOAT)
def tanh_shrink(x: Tensor, name: str | None = None) -> Tensor:
    """Return x - tanh(x). Same as Paddle 1.8."""
    return torch.sub(x, torch.tanh(x))


@operator("softshrink", direct=True, x=FLOAT)
def softshrink(x: Tensor, alpha: float | None = None) -> Tensor:
    """Move x towards 0 by `alpha` (0.5), and to 0 what is nearer. Same as Paddle 1.8."""
    return functional.softshrink(x, 0.5 if alpha is None else alpha)


@operator("hard_shrink", direct=True, x=FLOAT)
def hard_shrink(x: Tensor, threshold: float | None = None) -> Tensor:
    """Set to 0 what lies in [-threshold, threshold] (0.5). Same as Paddle 1.8."""
    return functional.hardshrink(x, 0.5 if threshold is None else threshold)


@operator("thresholded_relu", direct=True, x=FLOAT)
def thresholded_relu(x: Tensor, threshold: float | None = None) -> Tensor:
    """Set to 0 what is not above `threshold` (1.0). Same as Paddle 1.8."""
    return functional.threshold(x, 1.0 if threshold is None else threshold, 0.0)


@operator("gelu", direct=True, x=FLOAT)
def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """Return x times the normal distribution function of x.

    Same as Paddle 1.8. Source: Hendrycks and Gimpel 2016.

    Args:
        x: any shape.
        approximate: use the tanh formula.
    """
    return functional.gelu(x, approximate="tanh" if approximate else "none")


@operator("erf", direct=True, x=FLOAT)
def erf(x: Tensor) -> Tensor:
    """Return the error function of x. Same as Paddle 1.8."""
    return torch.erf(x)


@operator("cumsum", direct=True, x=NUMBER)
def cumsum(
    x: Tensor,
    axis: int | None = None,
    exclusive: bool | None = None,
    reverse: bool | None = None,
) -> Tensor:
    """Return running sums along an axis. Same as Paddle 1.8.

    Args:
        x: any shape.
        axis: which; by default the last.
        exclusive: leave each element itself out of its sum.
        reverse: sum from the end.
    """
    axis = axis_of("cumsum", "axis", -1 if axis is None else axis, x.dim())
    values = torch.flip(x, [axis]) if reverse else x
    result = torch.cumsum(values, axis)
    if exclusive:
        first = torch.zeros_like(result.narrow(axis, 0, 1))
        result = torch.cat([first, result.narrow(axis, 0, result.size(axis) - 1)], axis)
    return torch.flip(result, [axis]) if reverse else result
