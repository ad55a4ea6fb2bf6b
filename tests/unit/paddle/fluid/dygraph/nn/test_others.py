"""Parameters and small rules of the layers whose operators are tested by themselves."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.dygraph.base import to_variable
from refluid.paddle.fluid.dygraph.nn import (
    NCE,
    BilinearTensorProduct,
    Embedding,
    GRUUnit,
    Linear,
    PRelu,
    TreeConv,
)
from refluid.paddle.fluid.initializer import Constant
from refluid.paddle.fluid.param_attr import ParamAttr


@pytest.mark.parametrize(
    ("layer", "parameters"),
    [
        (lambda: Linear(3, 5), {"weight": [3, 5], "bias": [5]}),
        (lambda: Linear(3, 5, bias_attr=False), {"weight": [3, 5]}),
        (lambda: Embedding([6, 3]), {"weight": [6, 3]}),
        (lambda: GRUUnit(9), {"weight": [3, 9], "bias": [1, 9]}),
        (lambda: BilinearTensorProduct(3, 4, 5), {"weight": [5, 3, 4], "bias": [1, 5]}),
        (lambda: PRelu("all"), {"weight": [1]}),
        (lambda: PRelu("channel", channel=3), {"weight": [1, 3, 1, 1]}),
        (lambda: PRelu("element", input_shape=[2, 3, 4, 4]), {"weight": [1, 3, 4, 4]}),
        (lambda: NCE(8, 4), {"weight": [8, 4]}),
        (lambda: NCE(8, 4, bias_attr=True), {"weight": [8, 4], "bias": [8, 1]}),
        (lambda: TreeConv(3, 4, 2), {"weight": [3, 3, 4, 2]}),
        (lambda: TreeConv(3, 4, 2, bias_attr=True), {"bias": [2], "weight": [3, 3, 4, 2]}),
    ],
)
def test_parameters_have_paddles_names_shapes_and_order(layer, parameters):
    made = {n: p.shape for n, p in layer().named_parameters()}
    assert list(made.items()) == list(parameters.items())


def test_prelu_starts_from_one_and_is_named_in_one_word():
    layer = PRelu("channel", channel=2)
    assert layer.weight.numpy().tolist() == [[[[1]], [[1]]]]
    assert layer.weight.name == "prelu_0.w_0"


def test_padding_may_be_counted_from_the_end():
    ids = to_variable(np.array([0, 2]))
    seven = Constant(7.0)
    layer = Embedding([3, 1], padding_idx=-1, param_attr=seven)
    assert layer._padding_idx == 2
    assert layer(ids).numpy().tolist() == [[7], [0]]
    assert layer.weight.numpy().tolist() == [[7], [7], [7]]
    assert Embedding([3, 1], param_attr=seven)(ids).numpy().tolist() == [[7], [7]]


def test_a_recurrent_step_gives_state_reset_state_and_gates(numbers, variable):
    args = variable(numbers(1, 2, 9)), variable(numbers(2, 2, 3))
    new, reset, gate = GRUUnit(9)(*args)
    assert (new.shape, reset.shape, gate.shape) == ([2, 3], [2, 3], [2, 9])


def test_a_recurrent_step_ignores_its_origin_mode(numbers, variable):
    outs = []
    for origin_mode in (False, True):
        layer = GRUUnit(9, Constant(0.1), activation="relu", origin_mode=origin_mode)
        outs.append(layer(variable(numbers(1, 2, 9)), variable(numbers(2, 2, 3)))[0].numpy())
    np.testing.assert_array_equal(*outs)


@pytest.mark.parametrize("act", [None, "tanh"])
def test_a_given_name_is_that_of_a_result_without_activation(numbers, variable, act):
    layer = BilinearTensorProduct(3, 4, 5, name="pair", act=act)
    out = layer(variable(numbers(1, 2, 3)), variable(numbers(2, 2, 4)))
    assert (out.name == "bilinear_tensor_product_0.pair") == (act is None)


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
