"""Overlaps, codes and shapes of boxes. N, M, R boxes, C classes, B batch, H height, W width.

In Paddle these results ask for gradients as their inputs do, but hand none back.
May import: torch, core_avx, layers.argument, layers.detection.
"""

from __future__ import annotations

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, describe, operator, optional
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layers.argument import unlinked
from refluid.paddle.fluid.layers.detection.argument import real, reals, sizes_of
from refluid.paddle.fluid.layers.detection.constant import constant, grid

__all__ = [
    "box_coder",
    "box_decoder_and_assign",
    "decode",
    "iou_similarity",
    "linked_to",
    "polygon_box_transform",
]


def linked_to(result: Tensor, *sources: Tensor | None) -> Tensor:
    """Return a constant that asks for gradients if one of `sources` does, but hands none back."""
    given = [source for source in sources if source is not None]
    return unlinked(result, next((s for s in given if s.requires_grad), given[0]))


@operator("iou_similarity", x=FLOAT, y=FLOAT)
def iou_similarity(
    x: Tensor, y: Tensor, box_normalized: bool = True, name: str | None = None
) -> Tensor:
    """Return intersection over union of each box of x with each box of y.

    Same as Paddle 1.8: no gradient flows back.

    Args:
        x: float [N, 4], x1, y1, x2, y2.
        y: float [M, 4].
        box_normalized: False where coordinates are those of pixels and the last one counts.
        name: accepted for compatibility.

    Returns:
        [N, M].

    Raises:
        EnforceNotMet: shapes do not fit.
    """
    sizes_of("iou_similarity", x=(x, "N 4"), y=(y, "M 4"))
    extra = 0.0 if box_normalized else 1.0
    low, high = x.detach().unsqueeze(1).chunk(2, 2)
    other_low, other_high = y.detach().chunk(2, 1)
    common = _sides(torch.maximum(low, other_low), torch.minimum(high, other_high), extra)
    common = common.clamp(min=0).prod(2)
    areas = _sides(low, high, extra).prod(2) + _sides(other_low, other_high, extra).prod(1)
    # 1e-10 is Paddle's
    return linked_to(common / (areas - common + 1e-10), x, y)


def _sides(low: Tensor, high: Tensor, extra: float) -> Tensor:
    """Return the widths and heights of boxes from corner to corner."""
    return high - low + extra if extra else high - low


def box_coder(
    prior_box: VarBase,
    prior_box_var: VarBase | list[float],
    target_box: VarBase,
    code_type: str = "encode_center_size",
    box_normalized: bool = True,
    name: str | None = None,
    axis: int = 0,
) -> VarBase:
    """Express boxes relative to prior boxes, or find the boxes from such codes.

    A code is the distance of centres, divided by the prior's size, and the logarithm of the ratio
    of sizes; all are divided by variances. Same as Paddle 1.8: no gradient flows back.

    Args:
        prior_box: float [M, 4], x1, y1, x2, y2.
        prior_box_var: float [M, 4], variances, or four numbers.
        target_box: boxes [N, 4] to encode, or codes [N, M, 4] to decode ([M, N, 4] if `axis` is
            1).
        code_type: "encode_center_size" or "decode_center_size".
        box_normalized: False where coordinates are those of pixels and the last one counts.
        name: accepted for compatibility.
        axis: for decoding, 1 if `prior_box` lies along the first dimension of the codes, else 0.

    Returns:
        [N, M, 4], or the shape of the codes.

    Raises:
        TypeError: `prior_box_var` is neither a Variable nor a list.
        EnforceNotMet: shapes or settings do not fit.
    """
    if isinstance(prior_box_var, Tensor):
        return _code(prior_box, target_box, prior_box_var, None, code_type, box_normalized, axis)
    if not isinstance(prior_box_var, list):
        raise TypeError(
            "box_coder: `prior_box_var` must be a Variable or a list of 4 numbers, but received "
            f"{describe(prior_box_var)}."
        )
    variance = reals("box_coder", "prior_box_var", prior_box_var, 4)
    return _code(prior_box, target_box, None, variance, code_type, box_normalized, axis)


@operator("box_coder", prior_box=FLOAT, target_box=FLOAT, prior_box_var=optional(FLOAT))
def _code(
    prior_box: Tensor,
    target_box: Tensor,
    prior_box_var: Tensor | None,
    variance: list[float] | None,
    code_type: str,
    box_normalized: bool,
    axis: int,
) -> Tensor:
    if code_type not in ("encode_center_size", "decode_center_size"):
        raise EnforceNotMet(
            'box_coder: `code_type` must be "encode_center_size" or "decode_center_size", but '
            f"received {code_type!r}."
        )
    if axis not in (0, 1):
        raise EnforceNotMet(f"box_coder: `axis` must be 0 or 1, but received {axis!r}.")
    encode = code_type == "encode_center_size"
    pattern = "N 4" if encode else ("N M 4" if axis == 0 else "M N 4")
    shapes = {"prior_box": (prior_box, "M 4"), "target_box": (target_box, pattern)}
    if prior_box_var is not None:
        shapes["prior_box_var"] = (prior_box_var, "M 4")
    sizes_of("box_coder", **shapes)
    extra = 0.0 if box_normalized else 1.0
    prior, target = prior_box.detach(), target_box.detach()
    if prior_box_var is not None:
        scale = prior_box_var.detach()
    else:
        scale = constant(tuple(variance or (1.0,) * 4), prior.dtype, prior.device)
    if encode:
        result = _encode(prior, target, extra) / scale
    else:
        along = int(axis)
        scale = scale.unsqueeze(along) if scale.dim() == 2 else scale
        result = decode(prior.unsqueeze(along), target * scale, extra)
    return linked_to(result, prior_box, target_box, prior_box_var)


def _encode(prior: Tensor, target: Tensor, extra: float) -> Tensor:
    start, end = prior.chunk(2, 1)
    size = _sides(start, end, extra)
    low, high = target.unsqueeze(1).chunk(2, 2)
    distance = ((low + high) / 2 - (start + size / 2)) / size
    return torch.cat([distance, (_sides(low, high, extra) / size).abs().log()], 2)


def decode(prior: Tensor, code: Tensor, extra: float) -> Tensor:
    """Return the boxes of codes.

    Args:
        prior: float [..., 4], x1, y1, x2, y2.
        code: float [..., 4], already multiplied with the variances.
        extra: 1 where coordinates are those of pixels and the last one counts, else 0.
    """
    low, high = prior.chunk(2, -1)
    size = _sides(low, high, extra)
    distance, ratio = code.chunk(2, -1)
    centre = distance * size + (low + size / 2)
    half = ratio.exp() * size / 2
    end = centre + half
    return torch.cat([centre - half, end - extra if extra else end], -1)


@operator(
    "box_decoder_and_assign",
    prior_box=FLOAT,
    prior_box_var=FLOAT,
    target_box=FLOAT,
    box_score=FLOAT,
)
def box_decoder_and_assign(
    prior_box: Tensor,
    prior_box_var: Tensor,
    target_box: Tensor,
    box_score: Tensor,
    box_clip: float,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Find the boxes of each class from their codes, and for each prior that of its best class.

    Same as Paddle 1.8: no gradient flows back.

    Args:
        prior_box: float [R, 4], x1, y1, x2, y2 of pixels, the last ones counting.
        prior_box_var: float [4], variances.
        target_box: float [R, 4 C], codes.
        box_score: float [R, C], class 0 being the background.
        box_clip: the largest logarithm of a ratio of sizes.
        name: accepted for compatibility.

    Returns:
        [R, 4 C]; and [R, 4], where a prior whose scores of all classes are at most -1 stays.

    Raises:
        EnforceNotMet: shapes or settings do not fit.
    """
    op_type = "box_decoder_and_assign"
    sizes = sizes_of(
        op_type,
        prior_box=(prior_box, "R 4"),
        prior_box_var=(prior_box_var, "4"),
        box_score=(box_score, "R C"),
    )
    count, classes = sizes["R"], sizes["C"]
    if list(target_box.size()) != [count, 4 * classes]:
        raise EnforceNotMet(
            f"{op_type}: `target_box` must be [R, 4 C], here {[count, 4 * classes]}, but received "
            f"{describe(target_box)}."
        )
    limit = real(op_type, "box_clip", box_clip)
    with torch.no_grad():
        codes = target_box.reshape(count, classes, 4) * prior_box_var
        codes = torch.cat([codes[..., :2], codes[..., 2:].clamp(max=limit)], 2)
        boxes = decode(prior_box.unsqueeze(1), codes, 1.0)
        own = prior_box.clone()
        if classes > 1:
            best, label = box_score[:, 1:].max(1)
            chosen = boxes[torch.arange(count, device=label.device), label + 1]
            own = torch.where((best > -1).unsqueeze(1), chosen, own)
    sources = prior_box, prior_box_var, target_box, box_score
    return linked_to(boxes.reshape(count, -1), *sources), linked_to(own, *sources)


@operator("polygon_box_transform", input=FLOAT)
def polygon_box_transform(input: Tensor, name: str | None = None) -> Tensor:
    """Turn distances from each pixel to corners of a polygon into the corners' coordinates.

    A pixel stands for four of the image: even channels give 4 w - input, odd ones 4 h - input.
    Same as Paddle 1.8: no gradient flows back.

    Args:
        input: float [B, C, H, W], C even.
        name: accepted for compatibility.

    Returns:
        The shape of `input`.

    Raises:
        EnforceNotMet: the shape is another.
    """
    sizes = sizes_of("polygon_box_transform", input=(input, "B C H W"))
    if sizes["C"] % 2:
        raise EnforceNotMet(
            "polygon_box_transform: `input` must have an even number of channels, but received "
            f"{describe(input)}."
        )
    # the columns stand for x, the rows for y
    places = 4 * grid(sizes["H"], sizes["W"], input.dtype, input.device)
    count = sizes["B"] * sizes["C"] // 2
    pairs = input.detach().reshape(count, 2, sizes["H"], sizes["W"])
    return linked_to((places - pairs).reshape(input.size()), input)
