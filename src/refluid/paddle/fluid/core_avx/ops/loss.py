"""Losses of `fluid.dygraph.nn`. A full reduction has shape [1], as everywhere in Paddle.

May import: torch, operator, index.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import (
    FLOAT,
    INT64,
    NUMBER,
    operator,
    optional,
)
from refluid.paddle.fluid.core_avx.ops.index import check_index

__all__ = ["REDUCTIONS", "bce_loss", "l1_loss", "mse_loss", "nll_loss"]

REDUCTIONS = ("mean", "sum", "none")


@operator("mse_loss", direct=True, input=NUMBER, label=NUMBER)
def mse_loss(input: Tensor, label: Tensor, reduction: str = "mean") -> Tensor:
    """Square the differences.

    Args:
        input: numbers of any shape.
        label: a shape that broadcasts with it.
        reduction: "mean", "sum" or "none".

    Returns:
        [1], or for "none" the shape of the differences.
    """
    if _same_floats(input, label):
        return _whole(functional.mse_loss(input, label, reduction=reduction), reduction)
    return _reduce(torch.sub(input, label).square(), reduction)


@operator("l1_loss", direct=True, input=NUMBER, label=NUMBER)
def l1_loss(input: Tensor, label: Tensor, reduction: str = "mean") -> Tensor:
    """Take the absolute differences; arguments and result as for `mse_loss`."""
    if _same_floats(input, label):
        return _whole(functional.l1_loss(input, label, reduction=reduction), reduction)
    return _reduce(torch.sub(input, label).abs(), reduction)


@operator("bce_loss", direct=True, input=FLOAT, label=FLOAT, weight=optional(FLOAT))
def bce_loss(
    input: Tensor, label: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """Take the cross entropy of probabilities of two classes; logarithms stop at -100.

    Args:
        input: float of any shape, values in [0, 1].
        label: the same shape; no gradient flows into it.
        weight: factors that broadcast with the losses; None for 1.
        reduction: "mean", "sum" or "none".

    Returns:
        [1], or for "none" the shape of `input`.
    """
    if input.size() != label.size():
        raise EnforceNotMet(
            f"bce_loss: `input` and `label` must have one shape, but received {list(input.size())} "
            f"and {list(label.size())}."
        )
    if input.is_cuda:
        _check_probabilities(input)
    try:
        losses = functional.binary_cross_entropy(input, torch.detach(label), reduction="none")
    except RuntimeError:  # on the CPU torch looks at every number itself
        _check_probabilities(input)
        raise
    return _reduce(losses if weight is None else torch.mul(losses, weight), reduction)


def _check_probabilities(input: Tensor) -> None:
    if not input.numel():
        return
    low, high = map(float, torch.aminmax(torch.detach(input)))
    if not (low >= 0.0 and high <= 1.0):
        raise EnforceNotMet(
            f"bce_loss: `input` must be probabilities from 0 to 1, but received values from "
            f"{low:g} to {high:g}; apply fluid.layers.sigmoid before."
        )


@operator("nll_loss", direct=True, input=FLOAT, label=INT64, weight=optional(FLOAT))
def nll_loss(
    input: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int = -100,
) -> Tensor:
    """Take minus the logarithm of the right class's probability.

    Args:
        input: float [B, C] or [B, C, S...], logarithms of probabilities.
        label: int64 [B] (or [B, 1]) or [B, S...], the right classes.
        weight: a factor for each class [C], or None.
        reduction: "mean" (divided by the sum of the factors that were used), "sum" or "none".
        ignore_index: a label that counts for nothing.

    Returns:
        [1], or for "none" the shape of `label`.
    """
    if input.dim() < 2:
        raise EnforceNotMet(
            f"nll_loss: `input` must have 2 or more dimensions, but received shape "
            f"{list(input.size())}."
        )
    classes, sizes = input.size(1), [input.size(0), *input.size()[2:]]
    if list(label.size()) not in (sizes, [*sizes, 1]):
        raise EnforceNotMet(
            f"nll_loss: `label` must have shape {sizes}, as `input` {list(input.size())} says, but "
            f"received shape {list(label.size())}."
        )
    if weight is not None and weight.numel() != classes:
        raise EnforceNotMet(
            f"nll_loss: `weight` must have {classes} elements, one for each class, but received "
            f"{weight is not None and list(weight.size())}."
        )
    if label.dim() != len(sizes):
        label = torch.reshape(label, sizes)
    if input.is_cuda:
        check_index("nll_loss", "label", label, classes, ignored=ignore_index)
    by_torch = "sum" if reduction == "mean" else reduction
    try:
        out = functional.nll_loss(
            input, label, weight, ignore_index=ignore_index, reduction=by_torch
        )
    except IndexError:  # on the CPU torch looks at every number itself
        check_index("nll_loss", "label", label, classes, ignored=ignore_index)
        raise
    if reduction != "mean":
        return _whole(out, reduction)
    used = torch.ne(label, ignore_index)
    # nothing but ignored labels: 0, where torch's mean would be nan
    if weight is None:
        return torch.div(out, torch.sum(used).clamp(min=1)).reshape(1)
    share = torch.sum(torch.mul(torch.take(weight, torch.clamp(label, 0, classes - 1)), used))
    return torch.div(out, torch.where(share == 0, 1, share)).reshape(1)


def _same_floats(input: Tensor, label: Tensor) -> bool:
    return input.size() == label.size() and input.is_floating_point()


def _whole(out: Tensor, reduction: str) -> Tensor:
    return out if reduction == "none" else out.reshape(1)


def _reduce(losses: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return losses
    if reduction == "mean" and losses.is_floating_point():
        return losses.mean().reshape(1)
    total = losses.sum(dtype=losses.dtype).reshape(1)
    if reduction == "mean":
        return torch.div(total, losses.numel(), rounding_mode="trunc")
    return total
