"""YOLO v3: boxes from a feature map, and what its loss needs of them.

N images, A anchors of the map, C classes, H, W height and width of the map.
The map has 5 + C numbers for each anchor: x, y, width, height, whether there is an object, and
one for each class.
May import: torch, core_avx, layers.detection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, Kind, describe, operator
from refluid.paddle.fluid.layers.detection.argument import real, sizes_of, whole
from refluid.paddle.fluid.layers.detection.boxes import linked_to
from refluid.paddle.fluid.layers.detection.constant import constant, grid

__all__ = ["anchor_sizes", "boxes_of", "check_channels", "check_types", "yolo_box"]

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
    sizes = anchor_sizes("yolo_box", anchors)
    check_types("yolo_box", class_num=(class_num, int), conf_thresh=(conf_thresh, float))
    shape = sizes_of("yolo_box", x=(x, "N C H W"), img_size=(img_size, "N 2"))
    check_channels("yolo_box", shape["C"], len(sizes), class_num)
    ratio = whole("yolo_box", "downsample_ratio", downsample_ratio)
    stretch = real("yolo_box", "scale_x_y", scale_x_y)
    threshold = real("yolo_box", "conf_thresh", conf_thresh)
    maps = x.detach().reshape(shape["N"], len(sizes), 5 + class_num, shape["H"], shape["W"])
    place, code, there, kinds = maps.split_with_sizes([2, 2, 1, class_num], 2)
    image = img_size.flip(1).to(x.dtype).reshape(-1, 1, 2, 1, 1)
    centre, size = boxes_of(place, code, constant(sizes, x.dtype, x.device), ratio, stretch)
    centre, half = centre * image, size * image / 2
    low, high = centre - half, centre + half
    if clip_bbox:
        low, high = low.clamp(min=0), torch.minimum(high, image - 1)
    chance = there.sigmoid()
    likely = chance >= threshold
    boxes = torch.where(likely, torch.cat([low, high], 2), 0.0)
    scores = torch.where(likely, chance * kinds.sigmoid(), 0.0)
    return linked_to(_rows(boxes), x), linked_to(_rows(scores), x)


def _rows(maps: Tensor) -> Tensor:
    """Return [N, A, K, H, W] as [N, A H W, K]."""
    return maps.permute(0, 1, 3, 4, 2).flatten(1, 3)


def boxes_of(
    place: Tensor, code: Tensor, sizes: Tensor, ratio: int, stretch: float
) -> tuple[Tensor, Tensor]:
    """Return centres and sizes of all boxes, in fractions of the image.

    Args:
        place: float [N, A, 2, H, W], codes of centres, x before y.
        code: float [N, A, 2, H, W], codes of widths and heights.
        sizes: float [A, 2], of the anchors.
        ratio: pixels of the network's input for one of the map.
        stretch: by how much the places of centres are stretched.

    Returns:
        Twice [N, A, 2, H, W].
    """
    height, width = place.shape[-2:]
    inner = place.sigmoid()
    if stretch != 1:
        inner = inner * stretch
    centre = grid(height, width, place.dtype, place.device) + inner
    if stretch != 1:
        centre = centre - 0.5 * (stretch - 1)
    # Paddle divides both by the height
    return centre / height, code.exp() * sizes[:, :, None, None] / (ratio * height)


def anchor_sizes(op_type: str, anchors: Any) -> tuple[tuple[float, float], ...]:
    """Return the sizes of anchors as pairs.

    Raises:
        TypeError: they are no list.
        EnforceNotMet: they are no pairs of ints.
    """
    if not isinstance(anchors, (list, tuple)):
        raise TypeError(f"{op_type}: `anchors` must be a list, but received {describe(anchors)}.")
    sizes = [whole(op_type, "anchors", size) for size in anchors]
    if not sizes or len(sizes) % 2:
        raise EnforceNotMet(
            f"{op_type}: `anchors` must be pairs of width and height, but received {anchors!r}."
        )
    return tuple((float(w), float(h)) for w, h in zip(sizes[::2], sizes[1::2], strict=True))


def check_types(op_type: str, **given: tuple[Any, type]) -> None:
    """Check settings, each given with the type that it must have.

    Raises:
        TypeError: one has another.
    """
    for name, (value, cls) in given.items():
        if not isinstance(value, cls):
            raise TypeError(
                f"{op_type}: `{name}` must be of type {cls.__name__}, but received {value!r}."
            )


def check_channels(op_type: str, channels: int, anchors: int, class_num: int) -> None:
    """Check that a map has the channels that so many anchors and classes need.

    Raises:
        EnforceNotMet: it has others.
    """
    if class_num < 1 or channels != anchors * (5 + class_num):
        raise EnforceNotMet(
            f"{op_type}: `x` must have A (5 + C) = {anchors} * (5 + {class_num}) channels, and "
            f"`class_num` be above 0, but received {channels} channels."
        )
