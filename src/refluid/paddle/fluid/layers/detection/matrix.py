"""`matrix_nms`: lowering the scores of boxes that cover better ones, instead of dropping them.

N images, M boxes, C classes, K candidates of one class.
May import: torch, core_avx, layers.detection.
"""

from __future__ import annotations

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.operator import FLOAT, operator
from refluid.paddle.fluid.layers.detection.argument import note_images, real, sizes_of, whole
from refluid.paddle.fluid.layers.detection.nms import candidates
from refluid.paddle.fluid.layers.detection.overlap import box_overlap, planes

__all__ = ["matrix_nms"]

# pairs of boxes compared at once: bounds the memory
_BLOCK = 1 << 18


@operator("matrix_nms", bboxes=FLOAT, scores=FLOAT)
@torch.no_grad()
def matrix_nms(
    bboxes: Tensor,
    scores: Tensor,
    score_threshold: float,
    post_threshold: float,
    nms_top_k: int,
    keep_top_k: int,
    use_gaussian: bool = False,
    gaussian_sigma: float = 2.0,
    background_label: int = 0,
    normalized: bool = True,
    return_index: bool = False,
    name: str | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Lower the scores of boxes that cover better ones of their class, and keep the best.

    Same as Paddle 1.8. Source: Wang et al. 2020 (SOLOv2).

    Args:
        bboxes: float [N, M, 4], x1, y1, x2, y2.
        scores: float [N, C, M].
        score_threshold: a box must score more than this.
        post_threshold: and more than this after its score was lowered.
        nms_top_k: look at so many of the best boxes of a class; -1 for all.
        keep_top_k: keep so many boxes of an image; -1 for all.
        use_gaussian: lower by exp(sigma (m^2 - o^2)) for an overlap o with a better box that is
            itself overlapped by m, not by (1 - o) / (1 - m).
        gaussian_sigma: see above.
        background_label: a class that is left out; -1 for none.
        normalized: False where coordinates are those of pixels and the last one counts.
        return_index: return the numbers of the boxes too, counted through all images.
        name: accepted for compatibility.

    Returns:
        [boxes kept, 6], rows of class, score, x1, y1, x2, y2, image by image and best first; with
        `return_index` int32 [boxes kept, 1] too. They have no gradient.

    Raises:
        EnforceNotMet: shapes or settings do not fit.
    """
    sizes_of("matrix_nms", bboxes=(bboxes, "N M 4"), scores=(scores, "N C M"))
    first = real("matrix_nms", "score_threshold", score_threshold)
    last = real("matrix_nms", "post_threshold", post_threshold)
    top = whole("matrix_nms", "nms_top_k", nms_top_k)
    most = whole("matrix_nms", "keep_top_k", keep_top_k)
    skipped = whole("matrix_nms", "background_label", background_label)
    sigma = real("matrix_nms", "gaussian_sigma", gaussian_sigma) if use_gaussian else None
    extra = 0.0 if normalized else 1.0
    rows: list[Tensor] = []
    indices: list[Tensor] = []
    for image, boxes in enumerate(bboxes):
        found = [torch.empty((0, 6)).to(boxes)]
        places = [torch.empty(0, dtype=torch.int64, device=boxes.device)]
        for label, score in enumerate(scores[image]):
            if label == skipped:
                continue
            best, order, valid = candidates(score, first, top)
            best, order = best[valid], order[valid]
            lowered = best * _decay(boxes[order], extra, sigma)
            kept = ~(lowered <= last)
            order, lowered = order[kept], lowered[kept]
            head = torch.stack([torch.full_like(lowered, label), lowered], 1)
            found.append(torch.cat([head, boxes[order]], 1))
            places.append(order + image * bboxes.size(1))
        together = torch.cat(found)
        ranked = together[:, 1].argsort(descending=True, stable=True)
        ranked = ranked if most < 0 else ranked[:most]
        rows.append(together[ranked])
        indices.append(torch.cat(places)[ranked])
    counts = torch.tensor([len(entry) for entry in rows])
    out = note_images(torch.cat(rows), counts)
    if not return_index:
        return out
    return out, note_images(torch.cat(indices).to(torch.int32).unsqueeze(1), counts)


def _decay(boxes: Tensor, extra: float, sigma: float | None) -> Tensor:
    """Return by what the score of each box is multiplied.

    Args:
        boxes: float [K, 4], best first.
        extra: see `planes`.
        sigma: of the Gaussian, None for the other formula.
    """
    count = len(boxes)
    factors, most = torch.ones_like(boxes[:, 0]), torch.zeros_like(boxes[:, 0])
    places = torch.arange(count, device=boxes.device)
    every = planes(boxes, extra)
    step = max(_BLOCK // max(count, 1), 1)
    for start in range(0, count, step):
        part = slice(start, start + step)
        better = places[part, None] > places[: start + step]
        x1, y1, x2, y2, area = (plane[part, None] for plane in every)
        left, top, right, bottom, areas = (plane[: start + step] for plane in every)
        covered = box_overlap((x1, y1, x2, y2, area), (left, top, right, bottom, areas), extra)
        covered.masked_fill_(~better, 0.0)
        most[part] = covered.amax(1)
        other = most[: start + step]
        if sigma is None:
            factor = (1 - covered) / (1 - other)
        else:
            factor = torch.exp((other * other - covered * covered) * sigma)
        # equal boxes give 0 / 0; an earlier one of them has given 0 then
        factor = torch.where(better & ~factor.isnan(), factor, 1.0)
        factors[part] = factor.amin(1).clamp(max=1.0)
    return factors
