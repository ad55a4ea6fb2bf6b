"""Prior boxes and anchors: boxes of given sizes and shapes around every place of a feature map.

H, W height and width of the feature map; P priors of one place.
May import: torch, core_avx, layers.detection.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import ANY, FLOAT, describe, operator
from refluid.paddle.fluid.layers.detection.argument import (
    real,
    reals,
    rounded,
    sizes_of,
)
from refluid.paddle.fluid.layers.detection.constant import constant
from refluid.paddle.fluid.layers.detection.place import Pair, Places, boxes_around

__all__ = ["anchor_generator", "density_prior_box", "prior_box"]


@operator("prior_box", input=FLOAT, image=ANY)
def prior_box(
    input: Tensor,
    image: Tensor,
    min_sizes: float | Sequence[float],
    max_sizes: Sequence[float] | None = None,
    aspect_ratios: float | Sequence[float] = [1.0],
    variance: Sequence[float] = [0.1, 0.1, 0.2, 0.2],
    flip: bool = False,
    clip: bool = False,
    steps: Sequence[float] = [0.0, 0.0],
    offset: float = 0.5,
    name: str | None = None,
    min_max_aspect_ratios_order: bool = False,
) -> tuple[Tensor, Tensor]:
    """Make the prior boxes of SSD.

    Each place has, for each size, a box of each aspect ratio, and a square of side sqrt(min max).
    Same as Paddle 1.8. Source: Liu et al. 2016.

    Args:
        input: float [N, C, H, W], the feature map; only its shape and element type matter.
        image: [N, C', H', W'], the image; only its shape matters.
        min_sizes: in pixels of the image; one number or several.
        max_sizes: as many, each larger; none by default.
        aspect_ratios: width by height, one or several; 1 is always there.
        variance: four numbers, given back for each box.
        flip: have 1 / r for each aspect ratio r, too.
        clip: cut the boxes at the image's border.
        steps: distance of places in pixels, across and down; 0 means H' / H and W' / W.
        offset: where in its step a place has its centre.
        name: accepted for compatibility.
        min_max_aspect_ratios_order: put the square of sqrt(min max) second, not last.

    Returns:
        Boxes [H, W, P, 4], x1, y1, x2, y2 in fractions of the image, and variances of that shape.

    Raises:
        TypeError: `max_sizes` is no list.
        ValueError: `steps` are not two.
        EnforceNotMet: shapes or settings do not fit.
    """
    op_type = "prior_box"
    smallest = _numbers(op_type, "min_sizes", min_sizes)
    ratios = _ratios(reals(op_type, "aspect_ratios", _listed(aspect_ratios)), flip)
    largest: list[float] = []
    if not isinstance(max_sizes, (list, tuple, type(None))):
        raise TypeError(
            f"{op_type}: `max_sizes` must be a list, but received {describe(max_sizes)}."
        )
    if max_sizes and max_sizes[0] > 0:
        largest = reals(op_type, "max_sizes", max_sizes, len(smallest))
        if not all(low < high for low, high in zip(smallest, largest, strict=True)):
            raise EnforceNotMet(
                f"prior_box: each of `max_sizes` must be above its of `min_sizes` {smallest}, but "
                f"received {largest}."
            )
    shapes: list[Pair] = []
    for k, size in enumerate(smallest):
        boxes = [(size * math.sqrt(r), size / math.sqrt(r)) for r in ratios]
        if largest:
            side = math.sqrt(size * largest[k])
            boxes.insert(1 if min_max_aspect_ratios_order else len(boxes), (side, side))
        shapes += boxes
    places = _places(op_type, input, image, steps, offset)
    result = boxes_around(input, places, tuple(shapes))
    variances = _variances(op_type, variance, result)
    return (result.clamp_(0, 1) if clip else result), variances


@operator("density_prior_box", input=FLOAT, image=ANY)
def density_prior_box(
    input: Tensor,
    image: Tensor,
    densities: Sequence[int] | None = None,
    fixed_sizes: Sequence[float] | None = None,
    fixed_ratios: Sequence[float] | None = None,
    variance: Sequence[float] = [0.1, 0.1, 0.2, 0.2],
    clip: bool = False,
    steps: Sequence[float] = [0.0, 0.0],
    offset: float = 0.5,
    flatten_to_2d: bool = False,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Make prior boxes of which several of a size lie evenly in each step.

    Same as Paddle 1.8: always cut at the image's border. Source: Zhang et al. 2017 (FaceBoxes).

    Args:
        input: float [N, C, H, W], the feature map; only its shape and element type matter.
        image: [N, C', H', W'], the image; only its shape matters.
        densities: for each size, how many boxes across and down.
        fixed_sizes: in pixels of the image.
        fixed_ratios: aspect ratios, width by height.
        variance: four numbers, given back for each box.
        clip: accepted for compatibility.
        steps: distance of places in pixels, across and down; 0 means H' / H and W' / W.
        offset: where in its step a place has its centre.
        flatten_to_2d: return [H W P, 4].
        name: accepted for compatibility.

    Returns:
        Boxes [H, W, P, 4], x1, y1, x2, y2 in fractions of the image, and variances of that shape.

    Raises:
        TypeError: `densities`, `fixed_sizes` or `fixed_ratios` is no list.
        ValueError: `densities` and `fixed_sizes` differ in length, or `steps` are not two.
        EnforceNotMet: shapes or settings do not fit.
    """
    op_type = "density_prior_box"
    lists = {"densities": densities, "fixed_sizes": fixed_sizes, "fixed_ratios": fixed_ratios}
    for key, value in lists.items():
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"{op_type}: `{key}` must be a list, but received {describe(value)}.")
    sizes = _numbers(op_type, "fixed_sizes", fixed_sizes)
    ratios = _numbers(op_type, "fixed_ratios", fixed_ratios)
    counts = [int(d) for d in reals(op_type, "densities", densities)]
    if len(counts) != len(sizes) or not all(c > 0 for c in counts):
        raise ValueError(
            f"{op_type}: `densities` must be as many numbers above 0 as `fixed_sizes`, "
            f"{len(sizes)}, but received {densities!r}."
        )
    places = _places(op_type, input, image, steps, offset)
    step = int((places.step[0] + places.step[1]) * 0.5)
    offsets: list[Pair] = []
    shapes: list[Pair] = []
    for size, count in zip(sizes, counts, strict=True):
        shift = step // count
        at = [shift / 2 - step / 2 + k * shift for k in range(count)]
        for ratio in ratios:
            offsets += [(x, y) for y in at for x in at]
            shapes += [(size * math.sqrt(ratio), size / math.sqrt(ratio))] * count**2
    boxes = boxes_around(input, places, tuple(shapes), tuple(offsets), cut=True)
    boxes = boxes.clamp_(0, 1) if clip else boxes
    variances = _variances(op_type, variance, boxes)
    if flatten_to_2d:
        return boxes.view(-1, 4), variances.view(-1, 4)
    return boxes, variances


@operator("anchor_generator", input=FLOAT)
def anchor_generator(
    input: Tensor,
    anchor_sizes: float | Sequence[float] | None = None,
    aspect_ratios: float | Sequence[float] | None = None,
    variance: Sequence[float] = [0.1, 0.1, 0.2, 0.2],
    stride: Sequence[float] | None = None,
    offset: float = 0.5,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Make the anchors of Faster R-CNN: of each aspect ratio in each size, at every place.

    Same as Paddle 1.8. Source: Ren et al. 2015.

    Args:
        input: float [N, C, H, W], the feature map; only its shape and element type matter.
        anchor_sizes: in pixels of the image; one or several.
        aspect_ratios: height by width; one or several.
        variance: four numbers, given back for each anchor.
        stride: distance of places in pixels, across and down.
        offset: where in its step a place has its centre.
        name: accepted for compatibility.

    Returns:
        Anchors [H, W, P, 4], x1, y1, x2, y2 in pixels, the last ones counting, and variances of
        that shape.

    Raises:
        ValueError: `stride` is not two numbers.
        EnforceNotMet: shapes or settings do not fit.
    """
    op_type = "anchor_generator"
    across, down = _pair(op_type, "stride", stride)
    sizes = _numbers(op_type, "anchor_sizes", anchor_sizes)
    shapes: list[Pair] = []
    for ratio in _numbers(op_type, "aspect_ratios", aspect_ratios):
        # halves away from zero, as C++ rounds
        width = math.floor(math.sqrt(across * down / ratio) + 0.5)
        height = math.floor(width * ratio + 0.5)
        shapes += [(size / across * width, size / down * height) for size in sizes]
    sizes_of(op_type, input=(input, "N C H W"))
    shift = real(op_type, "offset", offset)
    places = Places((across, down), (shift * (across - 1), shift * (down - 1)), (1.0, 1.0))
    anchors = boxes_around(input, places, tuple(shapes), extra=1.0)
    return anchors, _variances(op_type, variance, anchors)


def _places(op_type: str, input: Tensor, image: Tensor, steps: Any, offset: Any) -> Places:
    across, down = _pair(op_type, "steps", steps)
    shape = sizes_of(op_type, input=(input, "N C H W"), image=(image, "N' C' H' W'"))
    shift = real(op_type, "offset", offset)
    if across == 0 or down == 0:
        across, down = rounded([shape["W'"] / shape["W"], shape["H'"] / shape["H"]])
    return Places((across, down), (shift * across, shift * down), (shape["W'"], shape["H'"]))


def _numbers(op_type: str, name: str, value: Any) -> list[float]:
    """Return one or several numbers as a list."""
    numbers = reals(op_type, name, _listed(value))
    if not numbers:
        raise EnforceNotMet(f"{op_type}: `{name}` must not be empty.")
    return numbers


def _listed(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else [value]


def _pair(op_type: str, name: str, value: Any) -> tuple[float, float]:
    if not (isinstance(value, (list, tuple)) and len(value) == 2):
        raise ValueError(
            f"{op_type}: `{name}` must be two numbers, across and down, but received {value!r}."
        )
    across, down = reals(op_type, name, value)
    return across, down


def _ratios(given: list[float], flip: bool) -> list[float]:
    """Return 1 and the given aspect ratios, each once, and with `flip` their inverses."""
    ratios = [1.0]
    for ratio in given:
        if all(abs(ratio - known) >= 1e-6 for known in ratios):
            ratios += [ratio, 1.0 / ratio] if flip else [ratio]
    return ratios


def _variances(op_type: str, variance: Any, boxes: Tensor) -> Tensor:
    values = reals(op_type, "variance", variance, 4)
    return constant(tuple(values), boxes.dtype, boxes.device).expand_as(boxes).clone()
