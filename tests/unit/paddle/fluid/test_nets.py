"""Compositions of layers: what comes out has the right shape and the right parts."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid


@pytest.fixture(autouse=True)
def graph():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield


def variable(*shape):
    return fluid.dygraph.to_variable(np.random.RandomState(0).normal(size=shape).astype("float32"))


def test_convolution_is_followed_by_pooling():
    out = fluid.nets.simple_img_conv_pool(variable(2, 1, 8, 8), 4, 3, 2, 2, act="relu")
    assert out.shape == [2, 4, 3, 3]
    assert out.numpy().min() >= 0


def test_gated_linear_unit_halves_the_dimension():
    x = variable(2, 6)
    a, b = np.split(x.numpy(), 2, 1)
    np.testing.assert_allclose(fluid.nets.glu(x).numpy(), a / (1 + np.exp(-b)), rtol=1e-5)


@pytest.mark.parametrize("num_heads", [1, 2])
def test_attention_averages_the_values(num_heads):
    queries, keys, values = variable(2, 3, 4), variable(2, 5, 4), variable(2, 5, 6)
    out = fluid.nets.scaled_dot_product_attention(queries, keys, values, num_heads)
    assert out.shape == [2, 3, 6]
    if num_heads == 1:
        low, high = values.numpy().min(1, keepdims=True), values.numpy().max(1, keepdims=True)
        assert ((out.numpy() >= low) & (out.numpy() <= high)).all()


def test_heads_must_divide_the_sizes():
    x = variable(2, 3, 4)
    with pytest.raises(ValueError, match="`num_heads` must divide"):
        fluid.nets.scaled_dot_product_attention(x, x, x, 3)
