"""Losses. May import: torch, core_avx."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, operator
from refluid.paddle.fluid.core_avx.ops.index import check_index
from refluid.paddle.fluid.core_avx.table.route import op, route

__all__: list[str] = []

route("bce_loss", lambda X, Label: op.bce_loss(X, Label, None, "none"))
route("bpr_loss", lambda X, Label: op.bpr_loss(X, Label))
route("cross_entropy", lambda X, Label, soft_label, ignore_index: op.cross_entropy(
    X, Label, soft_label, ignore_index
))  # fmt: skip
route("huber_loss", lambda X, Y, delta: op.huber_loss(X, Y, delta))
route("kldiv_loss", lambda X, Target, reduction: op.kldiv_loss(X, Target, reduction))
route("label_smooth", lambda X, PriorDist, epsilon: op.label_smooth(X, PriorDist, epsilon))
route("log_loss", lambda Predicted, Labels, epsilon: op.log_loss(Predicted, Labels, epsilon))
route("margin_rank_loss", lambda X1, X2, Label, margin: op.margin_rank_loss(Label, X1, X2, margin))
route("nll_loss", lambda X, Label, Weight, ignore_index, reduction: {
    "Out": op.nll_loss(X, Label, None if Weight is None else Weight.detach(), reduction,
                       ignore_index)
})  # fmt: skip
route("rank_loss", lambda Label, Left, Right: op.rank_loss(Label, Left, Right))
route(
    "sigmoid_cross_entropy_with_logits",
    lambda X, Label, ignore_index, normalize: op.sigmoid_cross_entropy_with_logits(
        X, Label, ignore_index, None, normalize
    ),
)
route("smooth_l1_loss", lambda X, Y, InsideWeight, OutsideWeight, sigma: op.smooth_l1_loss(
    X, Y, InsideWeight, OutsideWeight, sigma
))  # fmt: skip
route(
    "teacher_student_sigmoid_loss",
    lambda X, Label, soft_max_up_bound, soft_max_lower_bound: op.teacher_student_sigmoid_loss(
        X, Label, soft_max_up_bound, soft_max_lower_bound
    ),
)


def _cross_entropy2(X: Tensor, Label: Tensor, ignore_index: int) -> dict[str, Any]:
    loss = op.cross_entropy(X, Label, False, ignore_index)
    return {"Y": loss, "MatchX": op.exp(op.scale(loss, -1.0))}


def _softmax_with_cross_entropy(
    Logits: Tensor, Label: Tensor, soft_label: bool, ignore_index: int, axis: int
) -> dict[str, Any]:
    loss, softmax = op.softmax_with_cross_entropy(
        Logits, Label, soft_label, ignore_index, True, True, axis
    )
    return {"Loss": loss, "Softmax": softmax}


route("cross_entropy2", _cross_entropy2)
route("softmax_with_cross_entropy", _softmax_with_cross_entropy)


@operator("hinge_loss", logits=FLOAT, labels=FLOAT)
def _hinge(logits: Tensor, labels: Tensor) -> Tensor:
    """Return max(0, 1 - (2 * label - 1) * logit) for labels of 0 and 1."""
    return torch.relu(1 - logits * (2 * labels.detach() - 1))


@operator("modified_huber_loss", x=FLOAT, y=FLOAT)
def _modified_huber(x: Tensor, y: Tensor) -> Tensor:
    """Return max(0, 1 - a)^2 of a = x * (2 * y - 1), or -4 * a below -1."""
    a = x * (2 * y.detach() - 1)
    return torch.where(a < -1, -4 * a, torch.relu(1 - a).square())


@operator("squared_l2_distance", x=FLOAT, y=FLOAT)
def _squared_distance(x: Tensor, y: Tensor) -> Tensor:
    """Return the squared distances of rows [B, 1]; `y` may be one row."""
    return (x.flatten(1) - y.flatten(1)).square().sum(1, keepdim=True)


route("hinge_loss", lambda Logits, Labels: op.hinge_loss(Logits, Labels))
route("modified_huber_loss", lambda X, Y: op.modified_huber_loss(X, Y))
route("squared_l2_distance", lambda X, Y: op.squared_l2_distance(X, Y))

# --- many classes -------------------------------------------------------------------------------

_SAMPLERS = ("uniform", "log_uniform", "custom_dist")


def _nce(
    Input: Tensor,
    Label: Tensor,
    Weight: Tensor,
    Bias: Tensor | None,
    SampleWeight: Tensor | None,
    CustomDistProbs: Tensor | None,
    CustomDistAlias: Tensor | None,
    CustomDistAliasProbs: Tensor | None,
    num_total_classes: int,
    num_neg_samples: int,
    sampler: int,
    seed: int,
    is_sparse: bool,
) -> Any:
    # the alias tables serve Paddle's way to draw from the probabilities
    if not 0 <= sampler < len(_SAMPLERS) or num_total_classes != Weight.size(0):
        raise EnforceNotMet(
            "nce: `sampler` must be 0, 1 or 2 and `num_total_classes` the rows of `Weight`, but "
            f"received {sampler} and {num_total_classes}."
        )
    chances = None if CustomDistProbs is None else CustomDistProbs.tolist()
    return op.nce(
        Input, Label, Weight, Bias, SampleWeight, num_neg_samples, _SAMPLERS[sampler], chances,
        seed, is_sparse,
    )  # fmt: skip


route("nce", _nce)
route(
    "hierarchical_sigmoid",
    lambda X, W, Label, PathTable, PathCode, Bias, num_classes, is_sparse: op.hierarchical_sigmoid(
        X, Label, W, Bias, PathTable, PathCode, num_classes
    ),
)


@operator("center_loss", x=FLOAT, centers=FLOAT, rate=FLOAT, label=INT64)
def _center_loss(
    x: Tensor, centers: Tensor, rate: Tensor, label: Tensor, move: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return half the squared distances of rows to their classes' centers, which move to them.

    Source: Wen et al. 2016.
    """
    rows = label.reshape(-1)
    check_index("center_loss", "label", rows, centers.size(0))
    points = centers.detach()
    difference = x - points[rows]
    moved = points.clone()
    if move:
        apart = difference.detach()
        steps = torch.zeros_like(points).index_add_(0, rows, apart)
        counts = torch.bincount(rows, minlength=len(points)).unsqueeze(1)
        moved += rate.detach().reshape(()) * steps / (1 + counts)
    return moved, difference.detach(), difference.square().sum(1, keepdim=True) / 2


def _center(
    X: Tensor,
    Label: Tensor,
    Centers: Tensor,
    CenterUpdateRate: Tensor,
    cluster_num: int,
    need_update: bool,
) -> Any:
    if cluster_num != Centers.size(0):
        raise EnforceNotMet(
            f"center_loss: `cluster_num` must be the rows of `Centers` {list(Centers.size())}, but "
            f"received {cluster_num}."
        )
    return op.center_loss(X, Centers, CenterUpdateRate, Label, need_update)


route("center_loss", _center)
