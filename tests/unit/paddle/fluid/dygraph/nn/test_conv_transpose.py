"""Transposed convolution layers: where they start, and what is theirs alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from refluid.paddle.fluid.dygraph.nn import Conv2DTranspose, Conv3DTranspose
from refluid.paddle.fluid.initializer import Constant
from refluid.paddle.fluid.param_attr import ParamAttr


def test_transposed_weights_start_from_xavier():
    weight = Conv2DTranspose(64, 128, 3).weight.numpy()
    limit = math.sqrt(6 / (128 * 9 + 64 * 9))
    assert weight.max() == pytest.approx(limit, rel=0.01)
    assert abs(weight).max() <= limit


def test_a_volume_transposed_adds_its_bias_only_if_it_was_given(variable):
    x = variable(np.zeros((1, 1, 1, 1, 1)), "float32")
    five = Constant(5.0)
    for attr, expected in ((None, 0), (ParamAttr(), 5)):
        layer = Conv3DTranspose(1, 1, 1, bias_attr=attr)
        five(layer.bias)
        assert layer(x).numpy().item() == expected


def test_an_output_size_chooses_among_what_the_stride_allows(numbers, variable):
    x = variable(numbers(1, 2, 4, 5, 6))
    assert Conv2DTranspose(4, 2, 3, stride=2)(x).shape == [2, 2, 11, 13]
    assert Conv2DTranspose(4, 2, 3, [12, 14], stride=2)(x).shape == [2, 2, 12, 14]
