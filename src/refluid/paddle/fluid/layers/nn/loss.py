"""Losses and labels that Paddle keeps beside the layers. B batch, C classes.

May import: torch, core_avx, layers.nn.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INTEGER, operator, optional
from refluid.paddle.fluid.layers.nn.select import hot_vectors

__all__ = ["dice_loss", "label_smooth", "log_loss", "smooth_l1"]


@operator("log_loss", input=FLOAT, label=FLOAT)
def log_loss(
    input: Tensor, label: Tensor, epsilon: float = 0.0001, name: str | None = None
) -> Tensor:
    """Return -label * log(input + epsilon) - (1 - label) * log(1 - input + epsilon).

    Same as Paddle 1.8.

    Args:
        input: float [B, 1], probabilities.
        label: float [B, 1], 0 or 1.
        epsilon: keeps the logarithms finite.
        name: accepted for compatibility.
    """
    goal = label.detach()
    return -goal * torch.log(input + epsilon) - (1 - goal) * torch.log(1 - input + epsilon)


@operator(
    "smooth_l1_loss",
    direct=True,
    x=FLOAT,
    y=FLOAT,
    inside_weight=optional(FLOAT),
    outside_weight=optional(FLOAT),
)
def smooth_l1(
    x: Tensor,
    y: Tensor,
    inside_weight: Tensor | None = None,
    outside_weight: Tensor | None = None,
    sigma: float | None = None,
) -> Tensor:
    """Return the sum of smooth absolute differences of each sample.

    With d = inside_weight * (x - y), one difference counts sigma**2 * d * d / 2 if |d| is below
    1 / sigma**2, else |d| - 1 / (2 * sigma**2).
    Same as Paddle 1.8. Source: Girshick 2015.

    Args:
        x: float [B, ...].
        y: the same shape.
        inside_weight: the same shape; by default 1.
        outside_weight: multiplies each difference's share; by default 1.
        sigma: by default 1.

    Returns:
        [B, 1].
    """
    if x.size() != y.size():
        raise EnforceNotMet(
            f"smooth_l1: `x` and `y` must have one shape, but received {list(x.size())} and "
            f"{list(y.size())}."
        )
    bound = 1.0 if sigma is None else float(sigma) ** -2
    if inside_weight is not None:
        x = torch.mul(torch.detach(inside_weight), torch.sub(x, y))
        y = torch.zeros_like(x)
    losses = functional.smooth_l1_loss(x, y, reduction="none", beta=bound)
    if outside_weight is not None:
        losses = losses * torch.detach(outside_weight)
    return losses.reshape(x.size(0), -1).sum(1, keepdim=True)


@operator("label_smooth", direct=True, label=FLOAT, prior_dist=optional(FLOAT))
def label_smooth(
    label: Tensor,
    prior_dist: Tensor | None = None,
    epsilon: float = 0.1,
    dtype: str = "float32",
    name: str | None = None,
) -> Tensor:
    """Return (1 - epsilon) * label + epsilon * prior, the prior being 1 / C by default.

    Same as Paddle 1.8.

    Args:
        label: float [B, C].
        prior_dist: float [1, C].
        epsilon: 0 to 1.
        dtype: accepted for compatibility.
        name: accepted for compatibility.

    Raises:
        ValueError: `epsilon` is outside.
    """
    if not 0.0 <= epsilon <= 1.0:
        raise ValueError(f"label_smooth: `epsilon` must lie in [0, 1], but received {epsilon}.")
    smoothed = torch.mul(label, 1.0 - epsilon)
    if prior_dist is None:
        return smoothed + epsilon / label.size(-1)
    return smoothed + epsilon * torch.detach(prior_dist).reshape(-1)


@operator("dice_loss", input=FLOAT, label=INTEGER)
def dice_loss(
    input: Tensor, label: Tensor, epsilon: float = 1e-05, name: str | None = None
) -> Tensor:
    """Return 1 - 2 * (what predictions and labels share) / (the sum of both), the mean of samples.

    Same as Paddle 1.8.

    Args:
        input: float [B, ..., C], probabilities.
        label: int32 or int64 [B, ..., 1], class numbers in [0, C).
        epsilon: added to the divisor.
        name: accepted for compatibility.

    Returns:
        [1].
    """
    goal = hot_vectors(label.squeeze(-1), input.size(-1), False).to(input.dtype)
    shared = (input * goal).flatten(1).sum(1)
    total = input.flatten(1).sum(1) + goal.flatten(1).sum(1)
    return (1 - shared * 2 / (total + epsilon)).mean().unsqueeze(0)
