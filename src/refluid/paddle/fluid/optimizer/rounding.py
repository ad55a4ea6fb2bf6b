"""Rounding to 32 bits, in which Paddle's operators keep their settings and rates.

`1 - 0.999` differs from the same in 32 bits by 2e-5 of its value, which Adam's first steps show.
May import: numpy, torch.
"""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["float32", "rounded"]


def float32(number: float) -> float:
    """Return the nearest 32-bit float, as a Python float."""
    return float(np.float32(number))


def rounded(number: float, dtype: torch.dtype) -> float:
    """Return a number as a kernel for tensors of `dtype` computes with it."""
    return number if dtype is torch.float64 else float(np.float32(number))
