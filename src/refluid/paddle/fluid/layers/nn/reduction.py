"""Functions that make many elements one. A full reduction gives shape [1].

May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.function import Function
from refluid.paddle.fluid.core_avx.operator import BOOL, FLOAT, NUMBER, operator
from refluid.paddle.fluid.layers.argument import axes_of, write

__all__ = [
    "allclose",
    "dist",
    "logsumexp",
    "mean",
    "reduce_all",
    "reduce_any",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
]

Dim = int | Sequence[int] | None


def _reduce(
    op_type: str,
    function: Callable[[Tensor, list[int], bool], Tensor],
    input: Tensor,
    dim: Dim,
    keep_dim: bool,
) -> Tensor:
    """Reduce the given dimensions; what would have no dimensions left gets shape [1]."""
    axes = axes_of(op_type, "dim", dim, input.dim())
    result = function(input, axes, keep_dim)
    return result if result.dim() else torch.unsqueeze(result, 0)


def _mean(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    if torch.is_floating_point(x):
        return torch.mean(x, axes, keep)
    total = _sum(x, axes, keep)
    count = x.numel() // max(total.numel(), 1)
    return torch.div(total, count, rounding_mode="trunc")


def _product(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    product = x
    for axis in reversed(axes):
        product = torch.prod(product, axis, keep)
    # torch counts in int64, Paddle in the element type of x
    return product.type_as(x)


def _sum(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return torch.sum(x, axes, keep).type_as(x)


class _Extremum(Function):
    """amax or amin whose gradient goes whole to every element that equals the result."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, function: Any, axes: list[int], keep: bool) -> Tensor:
        result = function(x, axes, keep)
        ctx.save_for_backward(x, result)
        ctx.axes = axes
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, result = ctx.saved_tensors
        kept = [1 if k in ctx.axes else n for k, n in enumerate(x.size())]
        equal = torch.eq(x, torch.reshape(result, kept))
        return torch.mul(torch.reshape(grad, kept), equal), None, None, None


def _extremum(function: Any, x: Tensor, axes: list[int], keep: bool) -> Tensor:
    if x.numel() <= 0:
        raise EnforceNotMet("a maximum or minimum needs at least one element.")
    if x.requires_grad and torch.is_grad_enabled():
        return _Extremum.apply(x, function, axes, keep)
    return function(x, axes, keep)


_max = functools.partial(_extremum, torch.amax)
_min = functools.partial(_extremum, torch.amin)


@operator("mean", direct=True, x=FLOAT)
def mean(x: Tensor, name: str | None = None) -> Tensor:
    """Return the mean of all elements, shape [1]. Same as Paddle 1.8."""
    return torch.unsqueeze(torch.mean(x), 0)


@operator("reduce_sum", direct=True, input=NUMBER)
def reduce_sum(
    input: Tensor, dim: Dim = None, keep_dim: bool = False, name: str | None = None
) -> Tensor:
    """Add up the elements along the axes `dim`, by default all. Same as Paddle 1.8."""
    return _reduce("reduce_sum", _sum, input, dim, keep_dim)


@operator("reduce_mean", direct=True, input=NUMBER)
def reduce_mean(
    input: Tensor, dim: Dim = None, keep_dim: bool = False, name: str | None = None
) -> Tensor:
    """Return the mean along the axes `dim`, by default all. Same as Paddle 1.8."""
    return _reduce("reduce_mean", _mean, input, dim, keep_dim)


@operator("reduce_max", direct=True, input=NUMBER)
def reduce_max(
    input: Tensor, dim: Dim = None, keep_dim: bool = False, name: str | None = None
) -> Tensor:
    """Return the maximum along the axes `dim`, by default all.

    Same as Paddle 1.8: each of several equal maxima gets the whole gradient.
    """
    return _reduce("reduce_max", _max, input, dim, keep_dim)


@operator("reduce_min", direct=True, input=NUMBER)
def reduce_min(
    input: Tensor, dim: Dim = None, keep_dim: bool = False, name: str | None = None
) -> Tensor:
    """Return the minimum along the axes `dim`, by default all.

    Same as Paddle 1.8: each of several equal minima gets the whole gradient.
    """
    return _reduce("reduce_min", _min, input, dim, keep_dim)


@operator("reduce_prod", direct=True, input=NUMBER)
def reduce_prod(
    input: Tensor, dim: Dim = None, keep_dim: bool = False, name: str | None = None
) -> Tensor:
    """Return the product along the axes `dim`, by default all. Same as Paddle 1.8."""
    return _reduce("reduce_prod", _product, input, dim, keep_dim)


@operator("reduce_all", direct=True, input=BOOL)
def reduce_all(
    input: Tensor, dim: Dim = None, keep_dim: bool = False, name: str | None = None
) -> Tensor:
    """Return whether all bools along the axes `dim` are True. Same as Paddle 1.8."""
    return _reduce("reduce_all", torch.all, input, dim, keep_dim)


@operator("reduce_any", direct=True, input=BOOL)
def reduce_any(
    input: Tensor, dim: Dim = None, keep_dim: bool = False, name: str | None = None
) -> Tensor:
    """Return whether one bool along the axes `dim` is True. Same as Paddle 1.8."""
    return _reduce("reduce_any", torch.any, input, dim, keep_dim)


@operator("logsumexp", direct=True, x=FLOAT)
def logsumexp(
    x: Tensor,
    dim: Dim = None,
    keepdim: bool = False,
    out: Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """Return the logarithm of the sum of exp(x) along the axes `dim`, by default all.

    Same as Paddle 1.8, and finite for large x too.
    """
    return write(_reduce("logsumexp", torch.logsumexp, x, dim, keepdim), out)


@operator("allclose", direct=True, input=FLOAT, other=FLOAT)
def allclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return a bool [1]: whether |input - other| <= atol + rtol * |other| everywhere.

    Same as Paddle 1.8.
    """
    close = torch.isclose(input, other, rtol, atol, equal_nan)
    return torch.unsqueeze(torch.all(close), 0)


@operator("dist", direct=True, x=FLOAT, y=FLOAT)
def dist(x: Tensor, y: Tensor, p: float = 2) -> Tensor:
    """Return the p-norm of x - y, shape [1]. Same as Paddle 1.8."""
    return torch.unsqueeze(torch.linalg.vector_norm(torch.sub(x, y), float(p)), 0)
