"""Measures of how good predictions are. B batch. May import: torch, core_avx."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, operator
from refluid.paddle.fluid.core_avx.table.route import op, route

__all__: list[str] = []


@operator("accuracy_of_classes", out=FLOAT, indices=INT64, label=INT64)
def _accuracy(out: Tensor, indices: Tensor, label: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return how often the label [B, 1] is among the classes [B, k]; how many; of how many."""
    if indices.dim() != 2 or list(label.size()) != [indices.size(0), 1]:
        raise EnforceNotMet(
            "accuracy: `Indices` must be [B, k] and `Label` [B, 1], but received "
            f"{list(indices.size())} and {list(label.size())}."
        )
    hits = (indices == label).any(1)
    total = torch.tensor([len(hits)], dtype=torch.int32, device=hits.device)
    share = hits.mean(0, keepdim=True, dtype=torch.float32)
    return share, hits.sum(0, keepdim=True, dtype=torch.int32), total


route("accuracy", lambda Out, Indices, Label: op.accuracy_of_classes(Out, Indices, Label))


def _chunk_eval(
    Inference: Tensor,
    Label: Tensor,
    SeqLength: Tensor | None,
    num_chunk_types: int,
    chunk_scheme: str,
    excluded_chunk_types: list[int],
) -> Any:
    return op.chunk_eval(
        Inference, Label, chunk_scheme, num_chunk_types, excluded_chunk_types, SeqLength
    )


route("chunk_eval", _chunk_eval)
route(
    "mean_iou",
    lambda Predictions, Labels, num_classes: op.mean_iou(Predictions, Labels, num_classes),
)


def _edit_distance(
    Hyps: Tensor,
    Refs: Tensor,
    HypsLength: Tensor | None,
    RefsLength: Tensor | None,
    normalized: bool,
) -> dict[str, Any]:
    distance, count = op.edit_distance(Hyps, Refs, normalized, None, HypsLength, RefsLength)
    return {"Out": distance, "SequenceNum": count}


route("edit_distance", _edit_distance)


@operator("auc_of_counts", predict=FLOAT, label=INT64, positive=INT64, negative=INT64)
def _area(
    predict: Tensor, label: Tensor, positive: Tensor, negative: Tensor, bins: int, slides: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Count the probabilities of a batch by size and return the area under the ROC curve.

    Args:
        predict: [B, 2], the second column counts.
        label: [B, 1], 0 or 1.
        positive: counts of the batches before: their sum [bins] for `slides` 0, otherwise a ring
            of `slides` batches, their sum, and how many batches there were.
        negative: likewise.
        bins: how finely probabilities are told apart, and one.
        slides: how many batches the area is for; 0 for all.

    Returns:
        The area, float64 [1]; the counts with this batch.
    """
    scores = predict.detach()[:, -1]
    size = bins if slides == 0 else (1 + slides) * bins + 1
    if label.numel() != scores.numel() or not positive.numel() == negative.numel() == size:
        raise EnforceNotMet(
            f"auc: `Label` must be [B, 1] and the counts have {size} elements, but received "
            f"{list(label.size())}, {list(positive.size())} and {list(negative.size())}."
        )
    if scores.numel() and not 0 <= float(scores.min()) <= float(scores.max()) <= 1:
        raise EnforceNotMet("auc: `Predict` must hold probabilities in [0, 1].")
    places, true = (scores * (bins - 1)).long(), label.reshape(-1) != 0
    counts = []
    for before, chosen in ((positive, true), (negative, ~true)):
        batch = torch.bincount(places[chosen], minlength=bins)
        counts.append(_counted(before, batch, slides))
    sums = [c.reshape(-1)[slides * bins : (slides + 1) * bins] for c in counts]
    found, wrong = (torch.cumsum(s.flip(0), 0).double() for s in sums)
    area = torch.trapezoid(
        torch.cat([found.new_zeros(1), found]), torch.cat([wrong.new_zeros(1), wrong])
    )
    whole = found[-1] * wrong[-1]
    area = torch.where(whole > 0, area / whole.clamp(min=1), 0.0)
    return area.reshape(1), counts[0], counts[1]


def _counted(before: Tensor, batch: Tensor, slides: int) -> Tensor:
    if slides == 0:
        return before + batch.reshape(before.size())
    ring, bins = before.clone(), batch.numel()
    begin = int(ring[-1]) % slides * bins
    total = ring[slides * bins : -1]
    total += batch - ring[begin : begin + bins]
    ring[begin : begin + bins] = batch
    ring[-1] += 1
    return ring


def _auc(
    Predict: Tensor,
    Label: Tensor,
    StatPos: Tensor,
    StatNeg: Tensor,
    curve: str,
    num_thresholds: int,
    slide_steps: int,
) -> Any:
    # whatever `curve` says, Paddle's is the ROC curve
    return op.auc_of_counts(Predict, Label, StatPos, StatNeg, num_thresholds + 1, slide_steps)


route("auc", _auc)
