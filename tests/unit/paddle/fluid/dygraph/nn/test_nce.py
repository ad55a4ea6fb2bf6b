"""The layer of noise-contrastive estimation."""

from __future__ import annotations

import numpy as np

from refluid.paddle.fluid.dygraph.base import to_variable
from refluid.paddle.fluid.dygraph.nn import NCE
from refluid.paddle.fluid.initializer import Constant
from refluid.paddle.fluid.param_attr import ParamAttr


def test_the_cost_of_noise_is_divided_by_the_number_of_classes_compared(numbers, variable):
    only = [0.0] * 7 + [1.0]
    x, label = variable(numbers(1, 3, 4)), to_variable(np.array([[1], [0], [5]]))
    costs = {}
    for number in (1, 3):
        layer = NCE(8, 4, None, Constant(0.1), None, number, "custom_dist", only)
        costs[number] = layer(x, label).numpy()
        assert layer._num_neg_samples == number
    o = 1 / (1 + np.exp(-0.1 * numbers(1, 3, 4).sum(1, keepdims=True)))
    for number, cost in costs.items():
        expected = -number * np.log(number / (o + number)) / (number + 1)
        np.testing.assert_allclose(cost, expected, 1e-4, 1e-5)


def test_a_distribution_takes_the_names_of_three_parameters():
    assert NCE(2, 4).weight.name == "nce_0.w_0"
    layer = NCE(2, 4, sampler="custom_dist", custom_dist=[0.5, 0.5], bias_attr=ParamAttr())
    assert layer.weight.name == "nce_1.w_3"
    assert NCE(2, 4)._num_neg_samples == 10
