"""Losses of numbers, and of distributions. B batch.

May import: torch, core_avx.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.operator import FLOAT, operator
from refluid.paddle.fluid.core_avx.ops import loss
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.nn.argument import one_of

__all__ = ["huber_loss", "kldiv_loss", "mse_loss", "square_error_cost"]


@operator("square_error_cost", direct=True, input=FLOAT, label=FLOAT)
def square_error_cost(input: Tensor, label: Tensor) -> Tensor:
    """Return (input - label) squared, element by element. Same as Paddle 1.8."""
    difference = torch.sub(input, label)
    return difference * difference


def mse_loss(input: VarBase, label: VarBase) -> VarBase:
    """Return the mean of (input - label) squared, shape [1]. Same as Paddle 1.8."""
    return loss.mse_loss(input, label)


@operator("huber_loss", direct=True, input=FLOAT, label=FLOAT)
def huber_loss(input: Tensor, label: Tensor, delta: float) -> Tensor:
    """Return d * d / 2 for small differences d, else delta * (|d| - delta / 2).

    Same as Paddle 1.8. Source: Huber 1964.

    Args:
        input: float [B, 1].
        label: float [B, 1].
        delta: differences up to here are small.

    Returns:
        [B, 1].
    """
    return functional.huber_loss(input, label, reduction="none", delta=delta)


@operator("kldiv_loss", direct=True, x=FLOAT, target=FLOAT)
def kldiv_loss(
    x: Tensor, target: Tensor, reduction: str = "mean", name: str | None = None
) -> Tensor:
    """Return target * (log(target) - x): how far a distribution is from one given by logarithms.

    Same as Paddle 1.8.

    Args:
        x: float of any shape, logarithms of probabilities.
        target: the same shape, probabilities; where it is not above 0 the loss is 0.
        reduction: "none", or "mean" over all elements, "batchmean" (the sum divided by B), "sum".
        name: accepted for compatibility.

    Returns:
        The shape of x for "none", else [1].

    Raises:
        ValueError: `reduction` is none of these.
    """
    one_of(reduction, ("none", "mean", "batchmean", "sum"), "reduction")
    goal = torch.detach(target)
    losses = torch.where(goal > 0, goal * torch.sub(torch.log(goal), x), 0.0)
    if reduction == "none":
        return losses
    if reduction == "mean":
        return losses.mean().unsqueeze(0)
    total = losses.sum().unsqueeze(0)
    return total if reduction == "sum" else total / x.size(0)
