"""Losses of order: which of two, or of many, comes first. B batch, D size of a vector.

May import: torch, core_avx, layers.nn.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INTEGER, Kind, operator
from refluid.paddle.fluid.layers.nn.activation import log_probabilities

__all__ = ["margin_rank_loss", "npair_loss", "rank_loss"]

_LABEL = Kind(FLOAT.dtypes | INTEGER.dtypes)


def _check(op_type: str, label: Tensor, left: Tensor, right: Tensor) -> None:
    if not label.size() == left.size() == right.size():
        raise EnforceNotMet(
            f"{op_type}: `label`, `left` and `right` must have one shape, but received "
            f"{list(label.size())}, {list(left.size())} and {list(right.size())}."
        )


@operator("rank_loss", direct=True, label=FLOAT, left=FLOAT, right=FLOAT)
def rank_loss(label: Tensor, left: Tensor, right: Tensor, name: str | None = None) -> Tensor:
    """Return log(1 + exp(o)) - label * o for the difference o = left - right of two scores.

    Same as Paddle 1.8. Source: Burges et al. 2005 (RankNet).

    Args:
        label: float [B, 1], the probability that `left` comes before `right`.
        left: float [B, 1].
        right: float [B, 1].
        name: accepted for compatibility.

    Returns:
        [B, 1].
    """
    _check("rank_loss", label, left, right)
    difference = torch.sub(left, right)
    return functional.softplus(difference) - torch.detach(label) * difference


@operator("margin_rank_loss", direct=True, label=FLOAT, left=FLOAT, right=FLOAT)
def margin_rank_loss(
    label: Tensor, left: Tensor, right: Tensor, margin: float = 0.1, name: str | None = None
) -> Tensor:
    """Return max(0, margin - label * (left - right)).

    Same as Paddle 1.8.

    Args:
        label: float [B, 1], 1 if `left` comes before `right`, else -1.
        left: float [B, 1].
        right: float [B, 1].
        margin: by how much the scores must differ.
        name: accepted for compatibility.

    Returns:
        [B, 1].
    """
    _check("margin_rank_loss", label, left, right)
    return torch.relu(margin - torch.detach(label) * torch.sub(left, right))


@operator("npair_loss", anchor=FLOAT, positive=FLOAT, labels=_LABEL)
def npair_loss(anchor: Tensor, positive: Tensor, labels: Tensor, l2_reg: float = 0.002) -> Tensor:
    """Return how badly anchors find their positives among all, and a quarter of `l2_reg` norms.

    Same as Paddle 1.8. Source: Sohn 2016.

    Args:
        anchor: float [B, D].
        positive: float [B, D].
        labels: [B], which anchors and positives belong together.
        l2_reg: weight of the mean squared norms of both.

    Returns:
        [1].
    """
    same = (labels.reshape(-1, 1) == labels.reshape(1, -1)).to(anchor.dtype)
    targets = same / same.sum(1, keepdim=True)
    norms = (anchor * anchor).sum(1).mean() + (positive * positive).sum(1).mean()
    logarithms = log_probabilities(anchor @ positive.t(), 1)
    losses = -(targets * logarithms).sum(1, keepdim=True)
    found = (targets * losses).sum(0).mean()
    return (norms * (0.25 * l2_reg) + found).unsqueeze(0)
