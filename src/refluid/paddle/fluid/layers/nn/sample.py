"""Random choices among elements.

May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx import random
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import ANY, FLOAT, operator
from refluid.paddle.fluid.layers.argument import integers, number, unlinked

__all__ = ["random_crop", "sampling_id"]


@operator("sampling_id", direct=True, x=FLOAT)
def sampling_id(
    x: Tensor, min: float = 0.0, max: float = 1.0, seed: int = 0, dtype: Any = "float32"
) -> Tensor:
    """Draw one column number for each row of probabilities.

    Same as Paddle 1.8: the first column up to which the probabilities add up to more than a number
    drawn from [min, max).

    Args:
        x: [B, N].
        min: the smallest number drawn.
        max: the bound that is not reached.
        seed: 0 for new numbers each time.
        dtype: accepted for compatibility.

    Returns:
        int64 [B].
    """
    if x.dim() != 2:
        raise EnforceNotMet(f"sampling_id: `x` must be [B, N], but received {list(x.size())}.")
    level = random.uniform([x.size(0), 1], min, max, seed).to(x.device)
    below = torch.sum(torch.lt(torch.cumsum(torch.detach(x), 1), level), 1)
    return torch.clamp(below, max=x.size(1) - 1)


@operator("random_crop", direct=True, x=ANY)
def random_crop(x: Tensor, shape: Sequence[int], seed: int | Tensor | None = None) -> Tensor:
    """Cut a piece of `shape` out of each sample, each at a place of its own.

    Same as Paddle 1.8; no gradient flows.

    Args:
        x: [B, ...].
        shape: sizes of a piece, for the last dimensions of x.
        seed: an int or a Variable of shape [1]; by default new places each time.
    """
    sizes = integers("random_crop", "shape", shape)
    batch_dims = x.dim() - len(sizes)
    whole = list(x.size()[batch_dims:])
    if not (batch_dims >= 0 and all(n <= m for n, m in zip(sizes, whole, strict=False))):
        raise EnforceNotMet(
            f"random_crop: `shape` must fit into the last dimensions of `x` {list(x.size())}, but "
            f"received {sizes}."
        )
    pieces = torch.detach(x).reshape(-1, *whole)
    for axis, size in enumerate(sizes, start=1):
        pieces = pieces.unfold(axis, size, 1)
    # [all samples, where a piece may begin..., sizes of a piece...]
    bounds = torch.tensor(pieces.size()[1 : len(sizes) + 1])
    chosen = 0 if seed is None else int(number(seed))
    levels = random.uniform([pieces.size(0), len(sizes)], 0.0, 1.0, chosen)
    starts = (levels * bounds).long().to(x.device)
    places = (torch.arange(pieces.size(0), device=x.device), *starts.unbind(1))
    return unlinked(pieces[places].reshape(*x.size()[:batch_dims], *sizes), x)
