"""Measures of how good predictions are. B batch, C classes.

May import: torch, core_avx.
"""

from __future__ import annotations

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, operator
from refluid.paddle.fluid.layers.argument import number, write

__all__ = ["accuracy"]


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
