"""Functions of sequences. May import: torch, core_avx, layers.argument."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.dtype import to_torch_dtype
from refluid.paddle.fluid.core_avx.operator import INTEGER, operator
from refluid.paddle.fluid.layers.argument import number

__all__ = ["sequence_mask"]


@operator("sequence_mask", x=INTEGER)
def sequence_mask(
    x: Tensor, maxlen: int | Tensor | None = None, dtype: Any = "int64", name: str | None = None
) -> Tensor:
    """Return 1 for the places within each length, and 0 for those behind.

    Same as Paddle 1.8.

    Args:
        x: int32 or int64 of any shape, lengths.
        maxlen: how many places; by default the greatest length.
        dtype: element type of the result.
        name: accepted for compatibility.

    Returns:
        The shape of x, and `maxlen`.
    """
    length = int(x.max()) if maxlen is None else int(number(maxlen))
    places = torch.arange(length, device=x.device)
    return (places < x.unsqueeze(-1)).to(to_torch_dtype(dtype))
