"""The pooling layer's settings; what pooling computes is tested with the operator."""

from __future__ import annotations

from refluid.paddle.fluid.dygraph.nn import Pool2D


def test_the_stride_is_one_by_default(numbers, variable):
    assert Pool2D(2)(variable(numbers(1, 1, 2, 4, 5))).shape == [1, 2, 3, 4]


def test_settings_are_kept_under_paddles_names():
    layer = Pool2D(2, "avg", [2, 1], 1, ceil_mode=True, exclusive=False)
    assert (layer._pool_size, layer._pool_stride, layer._pool_padding) == ([2, 2], [2, 1], [1, 1])
    assert (layer._pool_type, layer._ceil_mode, layer._exclusive) == ("avg", True, False)
    assert (layer._global_pooling, layer._l_type) == (False, "pool2d")
    assert layer.parameters() == []


def test_a_global_window_needs_no_size(numbers, variable):
    assert Pool2D(global_pooling=True)(variable(numbers(1, 1, 2, 4, 5))).shape == [1, 2, 1, 1]
