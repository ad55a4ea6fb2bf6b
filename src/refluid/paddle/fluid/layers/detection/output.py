"""What a detector finds in the end: `detection_output` of SSD, `retinanet_detection_output`.

N images, M priors or anchors, C classes.
May import: torch, core_avx, layers.detection.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, describe, many, operator
from refluid.paddle.fluid.core_avx.variable import VarBase, plain
from refluid.paddle.fluid.layers.detection.argument import note_images, sizes_of
from refluid.paddle.fluid.layers.detection.boxes import box_coder, decode
from refluid.paddle.fluid.layers.detection.nms import (
    Rule,
    candidates,
    multiclass_nms,
    numbered_nms,
    survivors,
)

__all__ = ["detection_output", "retinanet_detection_output"]


def detection_output(
    loc: VarBase,
    scores: VarBase,
    prior_box: VarBase,
    prior_box_var: VarBase | list[float],
    background_label: int = 0,
    nms_threshold: float = 0.3,
    nms_top_k: int = 400,
    keep_top_k: int = 200,
    score_threshold: float = 0.01,
    nms_eta: float = 1.0,
    return_index: bool = False,
) -> VarBase | tuple[VarBase, VarBase]:
    """Return what SSD finds: boxes of the codes, softmax of the scores, the best of both.

    Same as Paddle 1.8, which takes class 0 for the background and 1 for `nms_eta`, whatever is
    given.

    Args:
        loc: float [N, M, 4], codes of boxes.
        scores: float [N, M, C].
        prior_box: float [M, 4], x1, y1, x2, y2.
        prior_box_var: float [M, 4], variances, or a list of four.
        background_label: accepted for compatibility.
        nms_threshold: drop a box whose overlap with a better one of its class is above this.
        nms_top_k: look at so many of the best boxes of a class; -1 for all.
        keep_top_k: keep so many boxes of an image; -1 for all.
        score_threshold: a box must score more than this.
        nms_eta: accepted for compatibility.
        return_index: return the numbers of the boxes too, counted through all images.

    Returns:
        [boxes kept, 6], rows of class, score, x1, y1, x2, y2; [[-1]] if there is none. With
        `return_index` [0, 6] if there is none, and int32 [boxes kept, 1]. They have no gradient.

    Raises:
        TypeError: `prior_box_var` is neither a Variable nor a list.
        EnforceNotMet: shapes or settings do not fit.
    """
    op_type = "detection_output"
    if not isinstance(scores, Tensor) or not scores.is_floating_point():
        raise TypeError(
            f"{op_type}: `scores` must be a Variable of floats, but received {describe(scores)}; "
            "make one with fluid.dygraph.to_variable(numpy_array)."
        )
    sizes_of(op_type, scores=(scores, "N M C"))
    boxes = box_coder(prior_box, prior_box_var, loc, "decode_center_size")
    chances = torch.softmax(plain(scores), 2).transpose(1, 2)
    settings = score_threshold, nms_top_k, keep_top_k, nms_threshold
    if return_index:
        return numbered_nms(boxes, chances, *settings)
    return multiclass_nms(boxes, chances, *settings)


@operator(
    "retinanet_detection_output",
    bboxes=many(FLOAT),
    scores=many(FLOAT),
    anchors=many(FLOAT),
    im_info=FLOAT,
)
@torch.no_grad()
def retinanet_detection_output(
    bboxes: list[Tensor],
    scores: list[Tensor],
    anchors: list[Tensor],
    im_info: Tensor,
    score_threshold: float = 0.05,
    nms_top_k: int = 1000,
    keep_top_k: int = 100,
    nms_threshold: float = 0.3,
    nms_eta: float = 1.0,
) -> Tensor:
    """Return what RetinaNet finds in the levels of a pyramid.

    The best codes of each level become boxes, of which those go that cover better ones of their
    class. The last level has no threshold. Same as Paddle 1.8, which takes 1 for `nms_eta`.
    Source: Lin et al. 2017.

    Args:
        bboxes: for each level float [N, M, 4], codes of boxes.
        scores: for each level float [N, M, C], chances of the classes, without a background.
        anchors: for each level float [M, 4], x1, y1, x2, y2 of pixels.
        im_info: float [N, 3], height and width of the network's input, and its scale.
        score_threshold: a box must score more than this, but in the last level more than 0.
        nms_top_k: look at so many of the best codes of a level; -1 for all.
        keep_top_k: keep so many boxes of an image; -1 for all.
        nms_threshold: drop a box whose overlap with a better one of its class is above this.
        nms_eta: accepted for compatibility.

    Returns:
        [boxes kept, 6], rows of class (from 1), score, x1, y1, x2, y2 in pixels of the image
        before it was scaled, image by image and best first. It has no gradient.

    Raises:
        EnforceNotMet: shapes or settings do not fit.
    """
    op_type = "retinanet_detection_output"
    levels = _levels(op_type, bboxes, scores, anchors, im_info)
    rule = Rule.of(op_type, score_threshold, nms_top_k, keep_top_k, nms_threshold, 1.0, False)
    boxes: list[Tensor] = []
    chances: list[Tensor] = []
    for k, (codes, score, anchor) in enumerate(levels):
        least = rule.score_threshold if k < len(levels) - 1 else 0.0
        best, order, valid = candidates(score.flatten(1), least, rule.nms_top_k)
        number, label = order // score.size(2), order % score.size(2)
        chosen = codes.gather(1, number.unsqueeze(2).expand(-1, -1, 4))
        boxes.append(_on_image(decode(anchor[number], chosen, 1.0), im_info))
        # a class for each box: all others, and boxes not to be looked at, score nothing
        chance = best.new_full((len(best), score.size(2), best.size(1)), -torch.inf)
        best = torch.where(valid, best, -torch.inf)
        chances.append(chance.scatter(1, label.unsqueeze(1), best.unsqueeze(1)))
    every = torch.cat(boxes, 1)
    rule = Rule(-torch.inf, -1, rule.keep_top_k, rule.nms_threshold, 1.0, False)
    best, order, kept = survivors(every, torch.cat(chances, 2), rule)
    return _ranked(every, best, order, kept)


def _levels(
    op_type: str, bboxes: Any, scores: Any, anchors: Any, im_info: Tensor
) -> list[tuple[Tensor, Tensor, Tensor]]:
    for name, value in (("bboxes", bboxes), ("scores", scores), ("anchors", anchors)):
        if not isinstance(value, (list, tuple)):
            raise EnforceNotMet(
                f"{op_type}: `{name}` must be a list of Variables, but received {describe(value)}."
            )
    if not len(bboxes) or not len(bboxes) == len(scores) == len(anchors):
        raise EnforceNotMet(
            f"{op_type}: `bboxes`, `scores` and `anchors` must have one entry for each level, but "
            f"have {len(bboxes)}, {len(scores)} and {len(anchors)}."
        )
    levels = list(zip(bboxes, scores, anchors, strict=True))
    for k, (code, score, anchor) in enumerate(levels):
        named = {f"bboxes[{k}]": (code, "N M 4"), f"scores[{k}]": (score, "N M C")}
        named |= {f"anchors[{k}]": (anchor, "M 4"), "im_info": (im_info, "N 3")}
        sizes = sizes_of(op_type, **named)
        if sizes["C"] != scores[0].size(2):
            raise EnforceNotMet(
                f"{op_type}: `scores` must have the same classes in all levels, but received "
                f"{describe(scores)}."
            )
    return levels


def _on_image(boxes: Tensor, im_info: Tensor) -> Tensor:
    """Return boxes [N, K, 4] of the network's input in pixels of the image, cut at its border."""
    scale = im_info[:, 2:, None]
    # halves away from zero, as C++ rounds
    size = (im_info[:, :2] / im_info[:, 2:] + 0.5).floor()
    border = (size.flip(1) - 1).repeat(1, 2).unsqueeze(1)
    return torch.minimum(boxes / scale, border).clamp(min=0)


def _ranked(boxes: Tensor, best: Tensor, order: Tensor, kept: Tensor) -> Tensor:
    """Return the rows of all images, in each the best first."""
    scores = torch.where(kept, best, -torch.inf).flatten(1)
    rank = scores.argsort(dim=1, descending=True, stable=True)
    counts = kept.sum((1, 2))
    places = torch.arange(rank.size(1), device=rank.device)
    image, place = (places < counts.unsqueeze(1)).nonzero(as_tuple=True)
    chosen = rank[image, place]
    label = chosen // max(best.size(2), 1) + 1
    head = torch.stack([label.to(best.dtype), scores[image, chosen]], 1)
    rows = torch.cat([head, boxes[image, order.flatten(1)[image, chosen]]], 1)
    return note_images(rows, counts)
