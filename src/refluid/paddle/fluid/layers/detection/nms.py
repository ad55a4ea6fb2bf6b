"""Keeping the best of boxes that cover each other: `multiclass_nms` and what others need of it.

All classes of all images are gone through at once: each step settles the best box left in every
one of them. N images, M boxes, C classes, P = N C problems, K candidates, D coordinates of a box.
May import: torch, core_avx, layers.detection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, describe, operator
from refluid.paddle.fluid.layers.detection.argument import note_images, real, sizes_of, whole
from refluid.paddle.fluid.layers.detection.overlap import comparison

__all__ = [
    "Rule",
    "candidates",
    "check_boxes",
    "detections",
    "keep_best",
    "multiclass_nms",
    "numbered_nms",
    "survivors",
    "table",
]

_COORDINATES = (4, 8, 16, 24, 32)


@dataclass(frozen=True)
class Rule:
    """Which candidates are looked at, and when a box is dropped."""

    score_threshold: float
    nms_top_k: int
    keep_top_k: int
    nms_threshold: float
    nms_eta: float
    normalized: bool

    @classmethod
    def of(
        cls,
        op_type: str,
        score_threshold: Any,
        nms_top_k: Any,
        keep_top_k: Any,
        nms_threshold: Any,
        nms_eta: Any,
        normalized: Any,
    ) -> Rule:
        """Make a rule of an operator's arguments.

        Raises:
            EnforceNotMet: one of them is no number.
        """
        return cls(
            real(op_type, "score_threshold", score_threshold),
            whole(op_type, "nms_top_k", nms_top_k),
            whole(op_type, "keep_top_k", keep_top_k),
            real(op_type, "nms_threshold", nms_threshold),
            real(op_type, "nms_eta", nms_eta),
            bool(normalized),
        )

    @property
    def extra(self) -> float:
        """What pixel coordinates add to the sides of a box."""
        return 0.0 if self.normalized else 1.0


@operator("multiclass_nms", bboxes=FLOAT, scores=FLOAT)
@torch.no_grad()
def multiclass_nms(
    bboxes: Tensor,
    scores: Tensor,
    score_threshold: float,
    nms_top_k: int,
    keep_top_k: int,
    nms_threshold: float = 0.3,
    normalized: bool = True,
    nms_eta: float = 1.0,
    background_label: int = 0,
    name: str | None = None,
) -> Tensor:
    """Keep the best boxes of each class and drop those that cover a better one too much.

    Same as Paddle 1.8 for batches of images; scores [M, C], whose images Paddle finds in the
    variable's LoD, are refused.

    Args:
        bboxes: float [N, M, 4], x1, y1, x2, y2; or [N, M, 8 | 16 | 24 | 32], corners of polygons.
        scores: float [N, C, M].
        score_threshold: a box must score more than this.
        nms_top_k: look at so many of the best boxes of a class; -1 for all.
        keep_top_k: keep so many boxes of an image; -1 for all.
        nms_threshold: drop a box whose overlap with a better one of its class is above this.
        normalized: False where coordinates are those of pixels and the last one counts.
        nms_eta: below 1, by how much the threshold shrinks after each box while it is above 0.5.
        background_label: a class that is left out; -1 for none.
        name: accepted for compatibility.

    Returns:
        [boxes kept, 2 + D], rows of class, score and coordinates, image by image and class by
        class; [[-1]] if there is none. It has no gradient.

    Raises:
        EnforceNotMet: shapes or settings do not fit.
    """
    settings = score_threshold, nms_top_k, keep_top_k, nms_threshold, nms_eta, normalized
    rule = Rule.of("multiclass_nms", *settings)
    rows, _, counts = _table_of("multiclass_nms", bboxes, scores, background_label, rule)
    return detections(rows, counts)


@operator("multiclass_nms2", bboxes=FLOAT, scores=FLOAT)
@torch.no_grad()
def numbered_nms(
    bboxes: Tensor,
    scores: Tensor,
    score_threshold: float,
    nms_top_k: int,
    keep_top_k: int,
    nms_threshold: float = 0.3,
    normalized: bool = True,
    nms_eta: float = 1.0,
    background_label: int = 0,
) -> tuple[Tensor, Tensor]:
    """Return what `multiclass_nms` does and the number of each box, counted through all images.

    Returns:
        [boxes kept, 2 + D], without rows if there is none; int32 [boxes kept, 1].
    """
    settings = score_threshold, nms_top_k, keep_top_k, nms_threshold, nms_eta, normalized
    rule = Rule.of("multiclass_nms2", *settings)
    rows, index, counts = _table_of("multiclass_nms2", bboxes, scores, background_label, rule)
    return note_images(rows, counts), note_images(index.to(torch.int32).unsqueeze(1), counts)


def _table_of(
    op_type: str, bboxes: Tensor, scores: Tensor, background_label: Any, rule: Rule
) -> tuple[Tensor, Tensor, Tensor]:
    check_boxes(op_type, bboxes, scores)
    return table(bboxes, scores, whole(op_type, "background_label", background_label), rule)


def check_boxes(op_type: str, bboxes: Tensor, scores: Tensor) -> None:
    """Check boxes and scores for each class.

    Raises:
        EnforceNotMet: their shapes do not fit.
    """
    sizes_of(op_type, bboxes=(bboxes, "N M D"), scores=(scores, "N C M"))
    if bboxes.size(2) not in _COORDINATES:
        raise EnforceNotMet(
            f"{op_type}: `bboxes` must have 4, 8, 16, 24 or 32 coordinates in the last dimension, "
            f"but received {describe(bboxes)}."
        )


def detections(rows: Tensor, counts: Tensor) -> Tensor:
    """Return the rows of all images; where there are none, Paddle's single -1."""
    if not rows.size(0):
        return note_images(rows.new_full((1, 1), -1.0), counts.new_ones(1))
    return note_images(rows, counts)


def table(
    bboxes: Tensor, scores: Tensor, skipped: int, rule: Rule
) -> tuple[Tensor, Tensor, Tensor]:
    """Return rows of class, score and coordinates, the number of each box, counts of the images.

    Boxes are numbered through all images.
    """
    classes = [c for c in range(scores.size(1)) if c != skipped]
    labels = torch.tensor(classes, dtype=torch.int64, device=scores.device)
    best, order, kept = survivors(bboxes, scores[:, labels], rule)
    image, place, rank = kept.nonzero(as_tuple=True)
    index = order[image, place, rank]
    head = torch.stack([labels[place].to(best.dtype), best[image, place, rank]], 1)
    rows = torch.cat([head, bboxes[image, index]], 1)
    return rows, image * bboxes.size(1) + index, kept.sum((1, 2))


def candidates(scores: Tensor, threshold: float, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the best scores above a threshold, their places, and which of them are above it.

    Args:
        scores: float [..., M].
        threshold: see above.
        most: how many at most; -1 for all.

    Returns:
        Three times [..., K], best first.
    """
    above = scores > threshold
    count = int(above.sum(-1).max()) if above.numel() else 0
    count = count if most < 0 else min(count, most)
    best, order = torch.where(above, scores, -torch.inf).sort(dim=-1, descending=True, stable=True)
    best, order = best[..., :count], order[..., :count]
    return best, order, above.gather(-1, order)


def survivors(bboxes: Tensor, scores: Tensor, rule: Rule) -> tuple[Tensor, Tensor, Tensor]:
    """Return the candidates of each class, best first, their places, and which of them stay.

    Args:
        bboxes: float [N, M, D].
        scores: float [N, C, M].
        rule: see `Rule`.

    Returns:
        Three times [N, C, K].
    """
    best, order, valid = candidates(scores, rule.score_threshold, rule.nms_top_k)
    comparable = torch.where(valid, best, -torch.inf).flatten(1)
    ranked = comparable.argsort(dim=1, descending=True, stable=True)
    total, most = ranked.size(1), rule.keep_top_k
    # whether a box stays depends on better ones alone: so look at the best of an image first,
    # and at more of them if not enough of these stay
    seen = total if most < 0 else min(total, 4 * most)
    while True:
        chosen = valid
        if seen < total:
            best_seen = torch.zeros_like(comparable, dtype=torch.bool)
            best_seen.scatter_(1, ranked[:, :seen], True)
            chosen = valid & best_seen.view(valid.size())
        kept = _kept(bboxes, order, chosen, rule)
        if seen == total or bool((kept.sum((1, 2)) >= most).all()):
            break
        seen = min(total, 4 * seen)
    if most >= 0:
        in_turn = kept.flatten(1).gather(1, ranked)
        in_turn &= in_turn.cumsum(1) <= most
        kept = torch.zeros_like(in_turn).scatter(1, ranked, in_turn).reshape(kept.size())
    return best, order, kept


def _kept(bboxes: Tensor, order: Tensor, valid: Tensor, rule: Rule) -> Tensor:
    """Return which of the valid candidates [N, C, K] stay in their class."""
    # those looked at are the first of their class
    width = int(valid.sum(2).max()) if valid.numel() else 0
    images = torch.arange(len(bboxes), device=bboxes.device).reshape(-1, 1, 1)
    boxes = bboxes[images, order[..., :width]].flatten(0, 1)
    left = valid[..., :width].flatten(0, 1)
    kept = keep_best(boxes, left, rule.nms_threshold, rule.nms_eta, rule.extra)
    return functional.pad(kept.reshape(*valid.shape[:2], width), (0, valid.size(2) - width))


def keep_best(
    boxes: Tensor, valid: Tensor, threshold: float, eta: float, extra: float, most: int = -1
) -> Tensor:
    """Return which boxes stay, where a box goes if it covers a better one that stays.

    Args:
        boxes: float [P, K, D], best first.
        valid: bool [P, K], false for boxes that are not to be looked at.
        threshold: the largest overlap that two boxes may have.
        eta: after each box that stays the threshold is multiplied with it, while above 0.5.
        extra: see `planes`.
        most: how many may stay; -1 for all.

    Returns:
        bool [P, K].
    """
    count = boxes.size(1)
    compare = comparison(boxes, extra)
    # one column more, for problems that have no box left
    kept = valid.new_zeros((len(boxes), count + 1))
    limit = boxes.new_full((len(boxes), 1), threshold)
    worst = torch.zeros_like(valid, dtype=boxes.dtype)
    left = valid.to(torch.uint8)
    for _ in range(count if most < 0 else min(most, count)):
        # max gives the first of equals
        found, first = left.max(1)
        if not found.any():
            break
        place = first.unsqueeze(1)
        kept.scatter_(1, place.masked_fill(found.unsqueeze(1) == 0, count), True)
        left.scatter_(1, place, 0)
        covered = compare(first, left)
        if eta < 1:
            # what was small enough before may be too much now
            worst = covered = torch.maximum(worst, covered)
            limit = torch.where((limit > 0.5) & (found > 0).unsqueeze(1), limit * eta, limit)
        left &= covered <= limit
    return kept[:, :count]
