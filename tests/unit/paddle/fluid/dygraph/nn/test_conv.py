"""Convolution layers: what they make and keep, and how they differ from each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from refluid.paddle.fluid.dygraph.nn import Conv2D, Conv2DTranspose, Conv3D, Conv3DTranspose


@pytest.mark.parametrize(
    ("layer", "weight", "name"),
    [
        (lambda: Conv2D(4, 6, [1, 2], groups=2), [6, 2, 1, 2], "conv2d_0.w_0"),
        (lambda: Conv3D(4, 6, 2), [6, 4, 2, 2, 2], "conv3d_0.w_0"),
        (lambda: Conv2DTranspose(4, 6, 2, groups=2), [4, 3, 2, 2], "conv2d_transpose_0.w_0"),
        (lambda: Conv3DTranspose(4, 6, 2), [4, 6, 2, 2, 2], "conv3d_transpose_0.w_0"),
    ],
)
def test_parameters_have_paddles_shapes_and_names(layer, weight, name):
    made = layer()
    assert made.weight.shape == weight
    assert made.weight.name == name
    assert made.bias.shape == [6]
    assert (made.bias.numpy() == 0).all()
    assert [n for n, _ in made.named_parameters()] == ["weight", "bias"]


def test_weights_start_normally_with_channels_not_divided_by_groups():
    weight = Conv2D(64, 512, 3, groups=4).weight.numpy()
    assert weight.std() == pytest.approx(math.sqrt(2 / (9 * 64)), rel=0.01)


def test_settings_are_kept_under_paddles_names():
    layer = Conv2D(2, 3, 5, stride=2, padding=[1, 2], act="relu", bias_attr=False)
    assert (layer._num_channels, layer._num_filters, layer._filter_size) == (2, 3, 5)
    assert (layer._stride, layer._padding, layer._dilation) == ([2, 2], [1, 2], [1, 1])
    assert (layer._groups, layer._act, layer._use_cudnn, layer._l_type) == (
        None, "relu", True, "conv2d",
    )  # fmt: skip
    assert layer.bias is None
    transposed = Conv2DTranspose(2, 3, 5)
    assert (transposed._filter_size, transposed._groups) == ([5, 5], 1)
    assert transposed._output_size == []


def test_sizes_may_be_numpys(numbers, variable):
    layer = Conv2D(np.int64(4), np.int32(2), [np.int64(3), 3])
    assert layer(variable(numbers(1, 1, 4, 5, 5))).shape == [1, 2, 3, 3]
