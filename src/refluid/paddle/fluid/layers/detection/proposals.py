"""`generate_proposals`: where objects may be, the first stage of Faster R-CNN.

N images, A anchors of one place, H, W height and width of the feature map, K candidates.
May import: torch, core_avx, layers.detection.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, Kind, describe, operator
from refluid.paddle.fluid.layers.detection.argument import note_images, real, sizes_of, whole
from refluid.paddle.fluid.layers.detection.boxes import decode
from refluid.paddle.fluid.layers.detection.nms import keep_best

__all__ = ["generate_proposals"]

_FLOAT32 = Kind(frozenset({torch.float32}))
# a box may become so much larger than its anchor
_LARGEST_CODE = math.log(1000.0 / 16.0)


@operator(
    "generate_proposals",
    scores=_FLOAT32,
    bbox_deltas=_FLOAT32,
    im_info=FLOAT,
    anchors=_FLOAT32,
    variances=_FLOAT32,
)
@torch.no_grad()
def generate_proposals(
    scores: Tensor,
    bbox_deltas: Tensor,
    im_info: Tensor,
    anchors: Tensor,
    variances: Tensor,
    pre_nms_top_n: int = 6000,
    post_nms_top_n: int = 1000,
    nms_thresh: float = 0.5,
    min_size: float = 0.1,
    eta: float = 1.0,
    name: str | None = None,
    return_rois_num: bool = False,
) -> tuple[Tensor, ...]:
    """Return the best boxes of a region proposal network.

    The best codes become boxes, which are cut at the image's border; small ones go, and those
    that cover a better one too much. The results know which rows are whose image's, as
    `roi_align` and `roi_pool` need it. Same as Paddle 1.8. Source: Ren et al. 2015.

    Args:
        scores: float32 [N, A, H, W].
        bbox_deltas: float32 [N, 4 A, H, W], codes of boxes.
        im_info: float [N, 3], height and width of the network's input, and its scale.
        anchors: float32 [H, W, A, 4], x1, y1, x2, y2 of pixels.
        variances: float32 [H, W, A, 4].
        pre_nms_top_n: look at so many of the best codes of an image; at most 0 for all.
        post_nms_top_n: keep so many boxes of an image; at most 0 for all.
        nms_thresh: drop a box whose overlap with a better one is above this; at most 0 for none.
        min_size: the least width and height in pixels of the image before it was scaled, at
            least 1.
        eta: below 1, by how much the threshold shrinks after each box while it is above 0.5.
        name: accepted for compatibility.
        return_rois_num: return the third of the following.

    Returns:
        Boxes [boxes kept, 4] and scores [boxes kept, 1], image by image, and int64 [N], at which
        row each image ends. They have no gradient.

    Raises:
        EnforceNotMet: shapes or settings do not fit.
    """
    op_type = "generate_proposals"
    sizes = sizes_of(
        op_type,
        scores=(scores, "N A H W"),
        im_info=(im_info, "N 3"),
        anchors=(anchors, "H W A 4"),
        variances=(variances, "H W A 4"),
    )
    if list(bbox_deltas.size()) != [sizes["N"], 4 * sizes["A"], sizes["H"], sizes["W"]]:
        raise EnforceNotMet(
            f"{op_type}: `bbox_deltas` must be [N, 4 A, H, W] where `scores` is [N, A, H, W], "
            f"{describe(scores)}, but received {describe(bbox_deltas)}."
        )
    before = whole(op_type, "pre_nms_top_n", pre_nms_top_n)
    after = whole(op_type, "post_nms_top_n", post_nms_top_n)
    threshold, shrink = real(op_type, "nms_thresh", nms_thresh), real(op_type, "eta", eta)
    least = max(real(op_type, "min_size", min_size), 1.0)
    best, order = _best(scores, before)
    info = im_info.to(scores.dtype)
    boxes = _boxes(bbox_deltas, anchors, variances, order, info)
    kept = _large(boxes, info, least)
    if threshold > 0:
        kept = keep_best(boxes, kept, threshold, shrink, 1.0, after if after > 0 else -1)
    chosen, counts = kept.nonzero(as_tuple=True), kept.sum(1)
    rois = note_images(boxes[chosen], counts)
    chances = note_images(best[chosen].unsqueeze(1), counts)
    return (rois, chances, counts.cumsum(0)) if return_rois_num else (rois, chances)


def _best(scores: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Return the best scores of each image, best first, and their numbers, [N, K]."""
    # of equal scores the last one first: Paddle goes through a sorted list from its end
    flat = scores.permute(0, 2, 3, 1).flatten(1).flip(1)
    count = flat.size(1)
    best, order = flat.sort(dim=1, descending=True, stable=True)
    if 0 < most < count:
        best, order = best[:, :most], order[:, :most]
    return best, count - 1 - order


def _boxes(
    codes: Tensor, anchors: Tensor, variances: Tensor, order: Tensor, info: Tensor
) -> Tensor:
    """Return the boxes with these numbers, cut at the image's border, [N, K, 4]."""
    codes = codes.unflatten(1, (-1, 4)).permute(0, 3, 4, 1, 2).flatten(1, 3)
    codes = codes.gather(1, order.unsqueeze(2).expand(-1, -1, 4)) * variances.reshape(-1, 4)[order]
    place, size = codes.chunk(2, 2)
    codes = torch.cat([place, size.clamp(max=_LARGEST_CODE)], 2)
    boxes = decode(anchors.reshape(-1, 4)[order], codes, 1.0)
    border = (info[:, :2].flip(1) - 1).repeat(1, 2).unsqueeze(1)
    return torch.minimum(boxes, border).clamp(min=0)


def _large(boxes: Tensor, info: Tensor, least: float) -> Tensor:
    """Return bool [N, K]: whether a box is large enough and has its centre in the image."""
    size = boxes[..., 2:] - boxes[..., :2]
    centre = boxes[..., :2] + (size + 1) / 2
    original = size / info[:, 2:, None] + 1
    return ((original >= least) & (centre <= info[:, None, :2].flip(2))).all(2)
