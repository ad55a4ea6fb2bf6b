"""The loss of YOLO v3.

N images, A anchors of the map, C classes, H height and width of the map, B true boxes.
The map has 5 + C numbers for each anchor, see `yolo`.
May import: torch, core_avx, layers.detection.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, Kind, describe, operator, optional
from refluid.paddle.fluid.layers.detection.argument import real, sizes_of, whole
from refluid.paddle.fluid.layers.detection.yolo import (
    anchor_sizes,
    boxes_of,
    check_channels,
    check_types,
)

__all__ = ["yolov3_loss"]

_INT32 = Kind(frozenset({torch.int32}))
# coordinates compared at once: bounds the memory
_BLOCK = 1 << 20


@operator("yolov3_loss", x=FLOAT, gt_box=FLOAT, gt_label=_INT32, gt_score=optional(FLOAT))
def yolov3_loss(
    x: Tensor,
    gt_box: Tensor,
    gt_label: Tensor,
    anchors: Sequence[int],
    anchor_mask: Sequence[int],
    class_num: int,
    ignore_thresh: float,
    downsample_ratio: int,
    gt_score: Tensor | None = None,
    use_label_smooth: bool = True,
    name: str | None = None,
    scale_x_y: float = 1.0,
) -> Tensor:
    """Return the loss of each image: of places, sizes, objects and classes.

    A true box belongs to the anchor whose shape is most like it, at the place of its centre; if
    that anchor is another map's, nothing here has to find it. Same as Paddle 1.8, but a true box
    whose centre lies outside the image is refused, for which Paddle reads a wrong place.
    Source: Redmon and Farhadi 2018.

    Args:
        x: float [N, A (5 + C), H, H].
        gt_box: float [N, B, 4], centre x, y, width and height in fractions of the image; those
            without a width or height stand for none.
        gt_label: int32 [N, B], classes.
        anchors: widths and heights of the anchors of all maps, in pixels of the network's input.
        anchor_mask: which of them are this map's, A numbers.
        class_num: C.
        ignore_thresh: a box that overlaps a true one by more than this need not be no object.
        downsample_ratio: pixels of the network's input for one of the map.
        gt_score: float [N, B], weights of the true boxes; 1 by default.
        use_label_smooth: want 1 - s and s of the classes, not 1 and 0, s = min(1 / C, 1 / 40).
        name: accepted for compatibility.
        scale_x_y: by how much the places of centres are stretched when overlaps are found.

    Returns:
        [N].

    Raises:
        TypeError: a setting is of another type.
        EnforceNotMet: shapes or settings do not fit, or a true box has its centre outside.
    """
    op_type = "yolov3_loss"
    sizes = anchor_sizes(op_type, anchors)
    mask = _mask(op_type, anchor_mask, len(sizes))
    check_types(
        op_type,
        class_num=(class_num, int),
        ignore_thresh=(ignore_thresh, float),
        use_label_smooth=(use_label_smooth, bool),
    )
    given = {"x": (x, "N C H H"), "gt_box": (gt_box, "N B 4"), "gt_label": (gt_label, "N B")}
    if gt_score is not None:
        given["gt_score"] = (gt_score, "N B")
    shape = sizes_of(op_type, **given)
    check_channels(op_type, shape["C"], len(mask), class_num)
    ratio, side = whole(op_type, "downsample_ratio", downsample_ratio), shape["H"]
    stretch = real(op_type, "scale_x_y", scale_x_y)
    limit = real(op_type, "ignore_thresh", ignore_thresh)
    smooth = min(1.0 / class_num, 1.0 / 40) if use_label_smooth else 0.0
    anchor = _Anchors.of(sizes, mask, ratio * side, x.dtype, x.device)
    maps = x.reshape(shape["N"], len(mask), 5 + class_num, side, side)
    true = _Truth(gt_box.detach(), gt_score, anchor, side)
    place, code, _ = maps.detach().split_with_sizes([2, 2, 1 + class_num], 2)
    ignored = true.best_overlap(*boxes_of(place, code, anchor.pixels, ratio, stretch)) > limit
    return true.loss(maps, gt_label, smooth) + true.object_loss(maps.select(2, 4), ignored)


class _Anchors(NamedTuple):
    """The anchors of all maps, and which are this one's."""

    # float [all anchors, 2] and [all anchors]: sizes in fractions of the image, and areas
    sizes: Tensor
    areas: Tensor
    # float [A, 2]: of this map's, in pixels and in fractions of the image
    pixels: Tensor
    own_sizes: Tensor
    # int64 [all anchors]: the number of each in this map, -1 for another map's
    own: Tensor

    @classmethod
    @functools.lru_cache(maxsize=16)
    def of(
        cls,
        sizes: tuple[tuple[float, float], ...],
        mask: tuple[int, ...],
        pixels: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> _Anchors:
        """Make them of their sizes in pixels, of which the image has so many."""
        every = torch.tensor(sizes, dtype=dtype, device=device)
        shares = every * (1.0 / pixels)
        numbers = {which: number for number, which in enumerate(mask)}
        own = torch.tensor([numbers.get(k, -1) for k in range(len(sizes))], device=device)
        chosen = list(mask)
        return cls(shares, shares.prod(1), every[chosen], shares[chosen], own)


class _Truth:
    """The true boxes of a batch, and which anchor at which place has to find each.

    Several boxes may have one place: the last of them says whether there is an object.

    Args:
        boxes: float [N, B, 4].
        scores: float [N, B], None for ones.
        anchors: of all maps.
        side: H.
    """

    def __init__(self, boxes: Tensor, scores: Tensor | None, anchors: _Anchors, side: int) -> None:
        self.boxes = boxes
        centre, size = boxes.chunk(2, 2)
        self.valid = (size > 1e-6).all(2)
        inside = (centre * side > -1) & (centre < 1)
        if not (inside.all(2) | ~self.valid).all():
            raise EnforceNotMet(
                "yolov3_loss: `gt_box` must have its centres within the image, from 0 to below 1, "
                f"but received some from {float(centre.min())} to {float(centre.max())}."
            )
        common = torch.minimum(size.unsqueeze(2), anchors.sizes).prod(3)
        union = size.prod(2, keepdim=True) + anchors.areas - common
        own = anchors.own[(common / union).argmax(2)]
        # image, number and anchor of each box that this map has to find
        self.image, self.number = ((own >= 0) & self.valid).nonzero(as_tuple=True)
        self.anchor = own[self.image, self.number]
        centre, self.size = boxes[self.image, self.number].chunk(2, 1)
        at = centre * side
        cell = at.long()
        self.column, self.row = cell.unbind(1)
        # what the map's numbers of place and size should be
        self.place, self.ratio = at - cell, (self.size / anchors.own_sizes[self.anchor]).log()
        if scores is None:
            self.weight = at.new_ones(len(at))
        else:
            self.weight = scores.detach()[self.image, self.number]
        shape = len(boxes), len(anchors.pixels), side, side
        place = (self.image * shape[1] + self.anchor) * side + self.row
        place = place * side + self.column
        # [N, A, H, H]: the last of the boxes found there, counted from 1; 0 for none
        numbers = torch.arange(1, len(at) + 1, device=boxes.device)
        last = numbers.new_zeros(math.prod(shape)).scatter_reduce_(0, place, numbers, "amax")
        self.last, self.is_last = last.view(shape), last[place] == numbers

    def best_overlap(self, centre: Tensor, size: Tensor) -> Tensor:
        """Return [N, A, H, H]: the overlap of each box with the true one that it covers best."""
        area = size.prod(2)
        best = torch.zeros_like(area)
        some = self.valid.any(0).nonzero().squeeze(1)
        if not len(some):
            return best
        half = size / 2
        low, high = (centre - half).unsqueeze(1), (centre + half).unsqueeze(1)
        boxes, valid = self.boxes[:, some], self.valid[:, some]
        step = max(_BLOCK // max(size.numel(), 1), 1)
        for true, there in zip(boxes.split(step, 1), valid.split(step, 1), strict=True):
            middle, sides = true[:, :, None, :, None, None].chunk(2, 3)
            common = torch.minimum(high, middle + sides / 2)
            common = (common - torch.maximum(low, middle - sides / 2)).clamp(min=0).prod(3)
            overlap = common / (area.unsqueeze(1) + sides.prod(3) - common)
            counts = there[:, :, None, None, None] & (overlap > 0)
            best = torch.maximum(best, torch.where(counts, overlap, 0.0).amax(1))
        return best

    def loss(self, maps: Tensor, labels: Tensor, smooth: float) -> Tensor:
        """Return [N]: the loss of places, sizes and classes."""
        codes = maps[self.image, self.anchor, :, self.row, self.column]
        # Paddle's backward pass overwrites the gradients of earlier boxes at the same place
        codes = torch.where(self.is_last.unsqueeze(1), codes, codes.detach())
        place, size, _, kind = codes.split_with_sizes([2, 2, 1, codes.size(1) - 5], 1)
        places = functional.binary_cross_entropy_with_logits(place, self.place, reduction="none")
        sizes = (size - self.ratio).abs()
        weight = self.weight * (2.0 - self.size.prod(1))
        label = labels[self.image, self.number].unsqueeze(1)
        classes = torch.arange(kind.size(1), device=codes.device)
        wanted = torch.where(classes == label, 1.0 - smooth, smooth).to(codes.dtype)
        kinds = functional.binary_cross_entropy_with_logits(kind, wanted, reduction="none")
        total = (places + sizes).sum(1) * weight + kinds.sum(1) * self.weight
        return maps.new_zeros(len(maps)).index_add(0, self.image, total)

    def object_loss(self, codes: Tensor, ignored: Tensor) -> Tensor:
        """Return [N]: the loss of whether there is an object.

        Args:
            codes: float [N, A, H, H].
            ignored: bool, the same shape: what need not be no object.
        """
        chosen = torch.cat([self.weight.new_zeros(1), self.weight])[self.last]
        weights = torch.where(ignored & (self.last == 0), -1.0, chosen)
        not_there = (weights <= 1e-5) & (weights > -0.5)
        losses = torch.where(not_there, functional.softplus(codes), 0.0)
        losses = torch.where(weights > 1e-5, functional.softplus(-codes) * weights, losses)
        return losses.flatten(1).sum(1)


def _mask(op_type: str, mask: Any, count: int) -> tuple[int, ...]:
    if not isinstance(mask, (list, tuple)):
        raise TypeError(f"{op_type}: `anchor_mask` must be a list, but received {describe(mask)}.")
    numbers = tuple(whole(op_type, "anchor_mask", entry) for entry in mask)
    if not numbers or not all(0 <= number < count for number in numbers):
        raise EnforceNotMet(
            f"{op_type}: `anchor_mask` must be numbers of the {count} anchors, but received "
            f"{mask!r}."
        )
    return numbers
