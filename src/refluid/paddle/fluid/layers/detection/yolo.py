"""YOLO v3: boxes from a feature map, and the loss of one.

N images, A anchors of the map, C classes, H, W height and width of the map, B true boxes.
The map has 5 + C numbers for each anchor: x, y, width, height, whether there is an object, and
one for each class.
May import: torch, core_avx, layers.detection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, Kind, describe, operator, optional
from refluid.paddle.fluid.layers.detection.argument import real, sizes_of, whole
from refluid.paddle.fluid.layers.detection.boxes import linked_to

__all__ = ["yolo_box", "yolov3_loss"]

_INT32 = Kind(frozenset({torch.int32}))


@operator("yolo_box", x=FLOAT, img_size=_INT32)
def yolo_box(
    x: Tensor,
    img_size: Tensor,
    anchors: Sequence[int],
    class_num: int,
    conf_thresh: float,
    downsample_ratio: int,
    clip_bbox: bool = True,
    name: str | None = None,
    scale_x_y: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Find the boxes of all anchors, and the scores of their classes.

    Same as Paddle 1.8: no gradient flows back. Source: Redmon and Farhadi 2018.

    Args:
        x: float [N, A (5 + C), H, W].
        img_size: int32 [N, 2], heights and widths of the images.
        anchors: 2 A numbers, widths and heights in pixels of the network's input.
        class_num: C.
        conf_thresh: what is less likely an object has box and scores 0.
        downsample_ratio: pixels of the network's input for one of the map.
        clip_bbox: cut the boxes at the image's border.
        name: accepted for compatibility.
        scale_x_y: by how much the places of centres are stretched.

    Returns:
        Boxes [N, A H W, 4], x1, y1, x2, y2 in pixels of the image, and scores [N, A H W, C].

    Raises:
        TypeError: a setting is of another type.
        EnforceNotMet: shapes or settings do not fit.
    """
    sizes = _anchors("yolo_box", anchors)
    _settings("yolo_box", class_num=(class_num, int), conf_thresh=(conf_thresh, float))
    shape = sizes_of("yolo_box", x=(x, "N C H W"), img_size=(img_size, "N 2"))
    _check_channels("yolo_box", shape["C"], len(sizes), class_num)
    ratio = whole("yolo_box", "downsample_ratio", downsample_ratio)
    with torch.no_grad():
        maps = x.unflatten(1, (len(sizes), 5 + class_num))
        stretch = real("yolo_box", "scale_x_y", scale_x_y)
        image = img_size.flip(1).to(x.dtype).reshape(-1, 2, 1, 1, 1)
        centre, size = _boxes(maps, x.new_tensor(sizes), ratio, stretch)
        centre, size = centre * image, size * image
        low, high = centre - size / 2, centre + size / 2
        if clip_bbox:
            low, high = low.clamp(min=0), torch.minimum(high, image - 1)
        chance = maps[:, :, 4].sigmoid()
        likely = chance >= real("yolo_box", "conf_thresh", conf_thresh)
        boxes = torch.where(likely.unsqueeze(1), torch.cat([low, high], 1), 0.0)
        scores = chance.unsqueeze(2) * maps[:, :, 5:].sigmoid()
        scores = torch.where(likely.unsqueeze(2), scores, 0.0)
    boxes = boxes.permute(0, 2, 3, 4, 1).flatten(1, 3)
    scores = scores.permute(0, 1, 3, 4, 2).flatten(1, 3)
    return linked_to(boxes, x), linked_to(scores, x)


def _boxes(maps: Tensor, sizes: Tensor, ratio: int, stretch: float) -> tuple[Tensor, Tensor]:
    """Return centres and sizes of all boxes, in fractions of the image.

    Args:
        maps: float [N, A, 5 + C, H, W].
        sizes: float [A, 2], of the anchors.
        ratio: pixels of the network's input for one of the map.
        stretch: by how much the places of centres are stretched.

    Returns:
        Twice [N, 2, A, H, W], x before y.
    """
    height, width = maps.shape[-2:]
    columns = torch.arange(width, device=maps.device).expand(height, -1)
    rows = torch.arange(height, device=maps.device).unsqueeze(1).expand(-1, width)
    places = torch.stack([columns, rows]).unsqueeze(1).to(maps.dtype)
    codes = maps[:, :, :4].transpose(1, 2)
    # Paddle divides both by the height
    centre = (places + codes[:, :2].sigmoid() * stretch - 0.5 * (stretch - 1)) / height
    return centre, codes[:, 2:].exp() * sizes.t()[:, :, None, None] / (ratio * height)


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
    sizes = x.new_tensor(_anchors(op_type, anchors))
    mask = _mask(op_type, anchor_mask, len(sizes))
    _settings(
        op_type,
        class_num=(class_num, int),
        ignore_thresh=(ignore_thresh, float),
        use_label_smooth=(use_label_smooth, bool),
    )
    given = {"x": (x, "N C H H"), "gt_box": (gt_box, "N B 4"), "gt_label": (gt_label, "N B")}
    if gt_score is not None:
        given["gt_score"] = (gt_score, "N B")
    shape = sizes_of(op_type, **given)
    _check_channels(op_type, shape["C"], len(mask), class_num)
    ratio, side = whole(op_type, "downsample_ratio", downsample_ratio), shape["H"]
    maps = x.unflatten(1, (len(mask), 5 + class_num))
    true = _Truth(gt_box.detach(), gt_score, sizes * (1.0 / (ratio * side)), mask, side)
    with torch.no_grad():
        stretch = real(op_type, "scale_x_y", scale_x_y)
        centre, size = _boxes(maps, sizes[mask], ratio, stretch)
        limit = real(op_type, "ignore_thresh", ignore_thresh)
        ignored = true.best_overlap(centre, size) > limit
    smooth = min(1.0 / class_num, 1.0 / 40) if use_label_smooth else 0.0
    return true.loss(maps, gt_label, smooth) + true.object_loss(maps[:, :, 4], ignored)


class _Truth:
    """The true boxes of a batch, and which anchor at which place has to find each.

    Several boxes may have one place: the last of them says whether there is an object.

    Args:
        boxes: float [N, B, 4].
        scores: float [N, B], None for ones.
        anchors: float [all anchors, 2], in fractions of the image.
        mask: which anchors are this map's.
        side: H.
    """

    def __init__(
        self, boxes: Tensor, scores: Tensor | None, anchors: Tensor, mask: list[int], side: int
    ) -> None:
        self.boxes, self.side = boxes, side
        self.valid = (boxes[..., 2:] > 1e-6).all(2)
        inside = ((boxes[..., :2] * side).trunc() >= 0) & (boxes[..., :2] < 1)
        if not inside.all(2)[self.valid].all():
            raise EnforceNotMet(
                "yolov3_loss: `gt_box` must have its centres within the image, from 0 to below 1, "
                f"but received some from {float(boxes[..., :2].min())} to "
                f"{float(boxes[..., :2].max())}."
            )
        common = torch.minimum(boxes[..., None, 2:], anchors).prod(3)
        union = boxes[..., 2:].prod(2, keepdim=True) + anchors.prod(1) - common
        best = (common / union).argmax(2)
        own = torch.full((len(anchors),), -1, device=boxes.device)
        own[mask] = torch.arange(len(mask), device=boxes.device)
        # image, number and anchor of each box that this map has to find
        self.image, self.number = ((own[best] >= 0) & self.valid).nonzero(as_tuple=True)
        which = best[self.image, self.number]
        self.anchor, self.anchor_size = own[which], anchors[which]
        self.found = boxes[self.image, self.number]
        self.column, self.row = (self.found[:, :2] * side).long().unbind(1)
        weights = torch.ones_like(boxes[..., 0]) if scores is None else scores.detach()
        self.weight = weights[self.image, self.number]
        place = (self.image * len(mask) + self.anchor) * side + self.row
        place = place * side + self.column
        # [N, A, H, H]: the last of the boxes found there, counted from 1; 0 for none
        numbers = torch.arange(1, len(place) + 1, device=boxes.device)
        last = numbers.new_zeros(len(boxes) * len(mask) * side * side)
        self.last = last.scatter_reduce(0, place, numbers, "amax")
        self.is_last = self.last[place] == numbers

    def best_overlap(self, centre: Tensor, size: Tensor) -> Tensor:
        """Return [N, A, H, H]: the overlap of each box with the true one that it covers best."""
        best = torch.zeros_like(centre[:, 0])
        area = size.prod(1)
        # one true box at a time, in all images: together they would take B times the memory
        for k in self.valid.any(0).nonzero().flatten().tolist():
            true = self.boxes[:, k, :, None, None, None]
            low = torch.maximum(centre - size / 2, true[:, :2] - true[:, 2:] / 2)
            high = torch.minimum(centre + size / 2, true[:, :2] + true[:, 2:] / 2)
            common = (high - low).clamp(min=0).prod(1)
            overlap = common / (area + true[:, 2:].prod(1) - common)
            valid = self.valid[:, k, None, None, None]
            best = torch.where(valid & (overlap > best), overlap, best)
        return best

    def loss(self, maps: Tensor, labels: Tensor, smooth: float) -> Tensor:
        """Return [N]: the loss of places, sizes and classes."""
        codes = maps[self.image, self.anchor, :, self.row, self.column]
        # Paddle's backward pass overwrites the gradients of earlier boxes at the same place
        codes = torch.where(self.is_last.unsqueeze(1), codes, codes.detach())
        place = self.found[:, :2] * self.side - torch.stack([self.column, self.row], 1)
        size = (self.found[:, 2:] / self.anchor_size).log()
        places = functional.binary_cross_entropy_with_logits(codes[:, :2], place, reduction="none")
        sizes = (codes[:, 2:4] - size).abs()
        weight = self.weight * (2.0 - self.found[:, 2:].prod(1))
        label = labels[self.image, self.number].unsqueeze(1)
        classes = torch.arange(codes.size(1) - 5, device=codes.device)
        wanted = torch.where(classes == label, 1.0 - smooth, smooth).to(codes.dtype)
        kinds = functional.binary_cross_entropy_with_logits(codes[:, 5:], wanted, reduction="none")
        total = (places + sizes).sum(1) * weight + kinds.sum(1) * self.weight
        return maps.new_zeros(len(maps)).index_add(0, self.image, total)

    def object_loss(self, codes: Tensor, ignored: Tensor) -> Tensor:
        """Return [N]: the loss of whether there is an object.

        Args:
            codes: float [N, A, H, H].
            ignored: bool, the same shape: what need not be no object.
        """
        last = self.last.reshape(codes.size())
        chosen = torch.cat([self.weight.new_zeros(1), self.weight])[last]
        weights = torch.where(last > 0, chosen, torch.where(ignored, -1.0, 0.0))
        there, not_there = weights > 1e-5, (weights <= 1e-5) & (weights > -0.5)
        losses = torch.where(there, functional.softplus(-codes) * weights, 0.0)
        losses = losses + torch.where(not_there, functional.softplus(codes), 0.0)
        return losses.flatten(1).sum(1)


def _anchors(op_type: str, anchors: Any) -> list[list[float]]:
    """Return the sizes of anchors as pairs."""
    if not isinstance(anchors, (list, tuple)):
        raise TypeError(f"{op_type}: `anchors` must be a list, but received {describe(anchors)}.")
    sizes = [whole(op_type, "anchors", size) for size in anchors]
    if not sizes or len(sizes) % 2:
        raise EnforceNotMet(
            f"{op_type}: `anchors` must be pairs of width and height, but received {anchors!r}."
        )
    return [[float(w), float(h)] for w, h in zip(sizes[::2], sizes[1::2], strict=True)]


def _mask(op_type: str, mask: Any, count: int) -> list[int]:
    if not isinstance(mask, (list, tuple)):
        raise TypeError(f"{op_type}: `anchor_mask` must be a list, but received {describe(mask)}.")
    numbers = [whole(op_type, "anchor_mask", entry) for entry in mask]
    if not numbers or not all(0 <= number < count for number in numbers):
        raise EnforceNotMet(
            f"{op_type}: `anchor_mask` must be numbers of the {count} anchors, but received "
            f"{mask!r}."
        )
    return numbers


def _settings(op_type: str, **given: tuple[Any, type]) -> None:
    for name, (value, cls) in given.items():
        if not isinstance(value, cls):
            raise TypeError(
                f"{op_type}: `{name}` must be of type {cls.__name__}, but received {value!r}."
            )


def _check_channels(op_type: str, channels: int, anchors: int, class_num: int) -> None:
    if class_num < 1 or channels != anchors * (5 + class_num):
        raise EnforceNotMet(
            f"{op_type}: `x` must have A (5 + C) = {anchors} * (5 + {class_num}) channels, and "
            f"`class_num` be above 0, but received {channels} channels."
        )
