"""Measures of how good predictions are. B batch, C classes.

May import: torch, core_avx.
"""

from __future__ import annotations

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, operator
from refluid.paddle.fluid.core_avx.variable import VarBase, wrap
from refluid.paddle.fluid.layers.argument import number, unlinked, write

__all__ = ["accuracy", "auc"]


@operator("accuracy", input=FLOAT, label=INT64)
def accuracy(
    input: Tensor,
    label: Tensor,
    k: int | Tensor = 1,
    correct: Tensor | None = None,
    total: Tensor | None = None,
) -> Tensor:
    """Return the share of samples whose label is among the k highest predictions.

    Same as Paddle 1.8: of equal predictions the lower class counts as higher.

    Args:
        input: float [B, C], scores of any kind.
        label: int64 [B, 1].
        k: from 1 to C.
        correct: an int32 variable that receives the number of such samples.
        total: an int32 variable that receives B.

    Returns:
        float32 [1], stop_gradient True.

    Raises:
        EnforceNotMet: shapes or element types do not fit, `k` is above C, or a label is negative.
    """
    sizes, k = input.size(), int(number(k))
    if not (
        label.dim() == 2 and label.size(1) == 1 and label.size(0) == sizes[0] and len(sizes) == 2
    ):
        raise EnforceNotMet(
            f"accuracy: `input` must be [B, C] and `label` [B, 1], but received {list(sizes)} and "
            f"{list(label.size())}."
        )
    if not 1 <= k <= sizes[1]:
        raise EnforceNotMet(
            f"accuracy: `k` must lie in [1, C] for `input` [B, C] {list(sizes)}, but received {k}."
        )
    hits = _among_best(torch.detach(input), label, k)
    if correct is not None:
        write(torch.sum(hits, dtype=torch.int32).reshape(1), correct)
    if total is not None:
        write(torch.tensor([sizes[0]], dtype=torch.int32, device=input.device), total)
    return torch.mean(hits, 0, dtype=torch.float32)


def _among_best(scores: Tensor, label: Tensor, k: int) -> Tensor:
    """Return bools [B, 1]: whether the label is among the k highest scores of its row."""
    if not label.is_cuda and label.numel() and int(torch.min(label)) < 0:
        if not (False):
            raise EnforceNotMet(
                f"accuracy: `label` must not be negative, but holds {int(label.min())}."
            )
    if k == 1:
        # torch promises the first of equal maxima
        return torch.eq(torch.argmax(scores, 1, keepdim=True), label)
    inside = torch.lt(label, scores.size(1))
    own = torch.gather(scores, 1, torch.where(inside, label, 0))
    classes = torch.arange(scores.size(1), device=scores.device)
    before = torch.logical_or(
        torch.gt(scores, own), torch.logical_and(torch.eq(scores, own), torch.lt(classes, label))
    )
    return torch.logical_and(torch.lt(torch.sum(before, 1, keepdim=True), k), inside)


def auc(
    input: VarBase,
    label: VarBase,
    curve: str = "ROC",
    num_thresholds: int = 4095,
    topk: int = 1,
    slide_steps: int = 1,
) -> tuple[VarBase, VarBase, list[VarBase]]:
    """Return the area under the curve of two classes.

    Same as Paddle 1.8: in the dynamic graph each call begins anew, so that both areas are that of
    this batch; fluid.metrics.Auc adds up batches.

    Args:
        input: float [B, 2], probabilities; the second column counts.
        label: int64 [B, 1], 0 or 1.
        curve: accepted for compatibility; it is always the ROC curve, as in Paddle.
        num_thresholds: how finely probabilities are told apart.
        topk: accepted for compatibility.
        slide_steps: how many batches the second area is for.

    Returns:
        Two areas, float64 [1], and the counts behind them: two int64
        [(1 + slide_steps) * (num_thresholds + 1) + 1] and two [1, num_thresholds + 1].

    Raises:
        EnforceNotMet: shapes or element types do not fit.
    """
    area, positive, negative = _area(input, label, num_thresholds)
    size = num_thresholds + 1
    batches = [] if slide_steps else [positive, negative]
    for counts in (positive, negative) if slide_steps else ():
        # a ring of batches, their sum behind them, and the place of the next batch
        ring = torch.zeros((1 + slide_steps) * size + 1, dtype=torch.int64, device=counts.device)
        ring[:size] = counts[0]
        ring[slide_steps * size : -1] = counts[0]
        ring[-1] = 1
        batches.append(wrap(ring))
    return area, area.detach(), [*batches, positive, negative]


@operator("auc", input=FLOAT, label=INT64)
def _area(input: Tensor, label: Tensor, num_thresholds: int) -> tuple[Tensor, Tensor, Tensor]:
    if input.dim() != 2 or label.numel() != input.size(0):
        raise EnforceNotMet(
            "auc: `input` must be [B, 2] and `label` [B, 1], but received "
            f"{list(input.size())} and {list(label.size())}."
        )
    scores = input.detach()[:, -1]
    if scores.numel() and not 0 <= float(scores.min()) <= float(scores.max()) <= 1:
        raise EnforceNotMet("auc: `input` must hold probabilities in [0, 1].")
    bins, size = (scores * num_thresholds).long(), num_thresholds + 1
    true = label.reshape(-1) != 0
    positive = torch.bincount(bins[true], minlength=size)
    negative = torch.bincount(bins[~true], minlength=size)
    # trapezoids under the curve, from the highest threshold down
    found = positive.flip(0).cumsum(0).double()
    wrong = negative.flip(0).cumsum(0).double()
    nothing = found.new_zeros(1)
    widths = torch.diff(wrong, prepend=nothing)
    heights = (found + torch.cat([nothing, found[:-1]])) / 2
    whole = found[-1] * wrong[-1]
    area = torch.where(whole > 0, (widths * heights).sum() / whole.clamp(min=1), 0.0)
    area = unlinked(area.unsqueeze(0), input)
    return area, positive.unsqueeze(0), negative.unsqueeze(0)
