"""Tensors that depend on sizes and settings alone, made once. H height, W width.

They are shared: nothing may write to them, hand them to a program or compute a gradient with them.
May import: torch.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

__all__ = ["constant", "grid"]


@functools.lru_cache(maxsize=64)
def constant(values: tuple[Any, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return numbers, or rows of them, as a tensor."""
    return torch.tensor(values, dtype=dtype, device=device)


@functools.lru_cache(maxsize=16)
def grid(height: int, width: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return [2, H, W]: the column and the row of each place."""
    columns = torch.arange(width, device=device).expand(height, -1)
    rows = torch.arange(height, device=device).unsqueeze(1).expand(-1, width)
    return torch.stack([columns, rows]).to(dtype)
