"""Settings are 32-bit floats, as in Paddle's operators."""

from __future__ import annotations

import numpy as np
import torch

from refluid.paddle.fluid.optimizer.rounding import float32, rounded


def test_float32_is_the_nearest_32_bit_number_as_a_python_float():
    assert float32(0.999) == np.float32(0.999)
    assert type(float32(0.999)) is float


def test_rounded_keeps_what_a_float64_kernel_would_keep():
    assert rounded(0.1, torch.float64) == 0.1
    assert rounded(0.1, torch.float32) == float32(0.1)
