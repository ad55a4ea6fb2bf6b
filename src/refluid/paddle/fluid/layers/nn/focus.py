"""Where channels of an image are strongest. B batch, C channels, H and W sizes of an image.

May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator
from refluid.paddle.fluid.layers.argument import integers, unlinked

__all__ = ["similarity_focus"]


@operator("similarity_focus", input=FLOAT)
def similarity_focus(
    input: Tensor, axis: int, indexes: Sequence[int], name: str | None = None
) -> Tensor:
    """Return 1 where a chosen plane has a maximum that no greater one covers, and 0 elsewhere.

    In each plane the greatest element is taken, then the greatest one outside of its row and
    column, and so on. Same as Paddle 1.8. Source: He and Lin 2016.

    Args:
        input: float [B, C, H, W].
        axis: 1, 2 or 3, the dimension whose `indexes` are the planes.
        indexes: the numbers of the planes; a 1 of any of them counts.
        name: accepted for compatibility.

    Returns:
        The shape of `input`, alike for all places along `axis`.

    Raises:
        ValueError: `axis` is another one, or `indexes` is empty.
        EnforceNotMet: `input` has not 4 dimensions, or a plane is not there.
    """
    if axis not in (1, 2, 3):
        raise ValueError(f"similarity_focus: `axis` must be 1, 2 or 3, but received {axis!r}.")
    numbers = integers("similarity_focus", "indexes", indexes)
    if not numbers:
        raise ValueError("similarity_focus: `indexes` must not be empty.")
    if input.dim() != 4 or not all(0 <= n < input.size(axis) for n in numbers):
        raise EnforceNotMet(
            "similarity_focus: `input` must be [B, C, H, W], and `indexes` numbers of planes along "
            f"`axis`, but received {list(input.size())}, {numbers} and {axis}."
        )
    planes = input.detach().movedim(axis, 1)
    marked = _mark(planes[:, numbers]).any(1, keepdim=True).expand_as(planes)
    return unlinked(marked.movedim(1, axis).to(input.dtype), input)


def _mark(planes: Tensor) -> Tensor:
    """Return bool [B, K, H, W], true for the maxima of planes [B, K, H, W]."""
    height, width = planes.size()[2:]
    none = height * width
    order = torch.argsort(planes.flatten(2), dim=2, descending=True, stable=True)
    # by rank, so that elements covered before are never taken, whatever the values are
    left = torch.argsort(order, dim=2).view(planes.size())
    marks = torch.zeros_like(left, dtype=torch.bool)
    # what is first in its row and in its column stays so while others are taken: all at once
    while (uncovered := left < none).any():
        first = torch.minimum(left.amin(3, keepdim=True), left.amin(2, keepdim=True))
        found = (left == first) & uncovered
        marks |= found
        left.masked_fill_(found.any(3, keepdim=True) | found.any(2, keepdim=True), none)
    return marks
