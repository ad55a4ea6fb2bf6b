"""`locality_aware_nms`: merging neighbours in a list of boxes before dropping overlapping ones.

Which box the next one is compared with depends on all before, so merging goes box by box, on
Python's numbers; boxes that nothing was merged into are compared beforehand, all at once.
N images, M boxes, D coordinates of a box.
May import: torch, numpy, core_avx, layers.detection.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.operator import FLOAT, operator
from refluid.paddle.fluid.layers.detection.argument import whole
from refluid.paddle.fluid.layers.detection.nms import Rule, check_boxes, detections, table
from refluid.paddle.fluid.layers.detection.overlap import box_overlap, planes, polygon_overlap

__all__ = ["locality_aware_nms"]


@operator("locality_aware_nms", bboxes=FLOAT, scores=FLOAT)
@torch.no_grad()
def locality_aware_nms(
    bboxes: Tensor,
    scores: Tensor,
    score_threshold: float,
    nms_top_k: int,
    keep_top_k: int,
    nms_threshold: float = 0.3,
    normalized: bool = True,
    nms_eta: float = 1.0,
    background_label: int = -1,
    name: str | None = None,
) -> Tensor:
    """Merge neighbouring boxes that cover each other, then drop those that still do.

    A box is merged with the one before it if their overlap is above `nms_threshold`: coordinates
    are averaged with the scores as weights, and scores are added up. Same as Paddle 1.8.
    Source: Zhou et al. 2017 (EAST).

    Args:
        bboxes: float [N, M, 4], x1, y1, x2, y2; or [N, M, 8 | 16 | 24 | 32], corners of polygons.
        scores: float [N, 1, M].
        score_threshold: a merged box must score more than this.
        nms_top_k: look at so many of the best merged boxes; -1 for all.
        keep_top_k: keep so many boxes of an image; -1 for all.
        nms_threshold: see above; then, drop a box whose overlap with a better one is above this.
        normalized: False where coordinates are those of pixels and the last one counts.
        nms_eta: below 1, by how much the threshold shrinks after each box while it is above 0.5.
        background_label: a class that is left out; -1 for none.
        name: accepted for compatibility.

    Returns:
        [boxes kept, 2 + D], rows of class (0), score and coordinates, image by image; [[-1]] if
        there is none. It has no gradient.

    Raises:
        AssertionError: `scores` is not [N, 1, M].
        EnforceNotMet: other shapes or settings do not fit.
    """
    op_type = "locality_aware_nms"
    assert scores.dim() == 3 and scores.size(1) == 1, (
        f"{op_type}: `scores` must be [N, 1, M], one class, but received {list(scores.size())}."
    )
    rule = Rule.of(
        op_type, score_threshold, nms_top_k, keep_top_k, nms_threshold, nms_eta, normalized
    )
    check_boxes(op_type, bboxes, scores)
    skipped = whole(op_type, "background_label", background_label)
    merged = [
        _merge(boxes.tolist(), score.tolist(), _in_a_row(boxes, rule.extra), rule)
        for boxes, score in zip(bboxes, scores[:, 0], strict=True)
    ]
    boxes = bboxes.new_tensor([image[0] for image in merged]).reshape(bboxes.size())
    sums = scores.new_tensor([image[1] for image in merged]).reshape(scores.size())
    rows, _, counts = table(boxes, sums, skipped, rule)
    return detections(rows, counts)


def _merge(
    boxes: list[list[float]], scores: list[float], in_a_row: list[float], rule: Rule
) -> tuple[list[list[float]], list[float]]:
    """Return boxes and scores, where one that went into another has the score -inf."""
    last, changed = 0, False
    for k in range(1, len(boxes)):
        if last == k - 1 and not changed:
            covered = in_a_row[last]
        else:
            covered = _overlap_of_two(boxes[k], boxes[last], rule.extra)
        if covered > rule.nms_threshold:
            a, b = scores[k], scores[last]
            total = a + b
            pairs = zip(boxes[k], boxes[last], strict=True)
            boxes[last] = [(p * a + q * b) / total if total else math.nan for p, q in pairs]
            scores[last], scores[k] = total, -math.inf
            changed = True
        else:
            last, changed = k, False
    return boxes, scores


def _in_a_row(boxes: Tensor, extra: float) -> list[float]:
    """Return the overlap of each box with the next one."""
    if boxes.size(1) == 4:
        first, second = planes(boxes[:-1], extra), planes(boxes[1:], extra)
        return box_overlap(first, second, extra).tolist()
    corners = boxes.unflatten(1, (-1, 2)).double().cpu().numpy()
    return polygon_overlap(corners[:-1], corners[1:]).tolist()


def _overlap_of_two(one: list[float], other: list[float], extra: float) -> float:
    """Return intersection over union."""
    for axis in (0, 1):
        first, second = one[axis::2], other[axis::2]
        if min(first) > max(second) or min(second) > max(first):
            return 0.0
    if len(one) > 4:
        pair = (np.array(corners).reshape(1, -1, 2) for corners in (one, other))
        return float(polygon_overlap(*pair)[0])
    width = min(one[2], other[2]) - max(one[0], other[0]) + extra
    height = min(one[3], other[3]) - max(one[1], other[1]) + extra
    union = _area(one, extra) + _area(other, extra) - width * height
    return width * height / union if union else 0.0


def _area(box: list[float], extra: float) -> float:
    width, height = box[2] - box[0], box[3] - box[1]
    return 0.0 if width < 0 or height < 0 else (width + extra) * (height + extra)
