"""Layers make parameters with Paddle's names, shapes and order."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn import (
    NCE,
    BilinearTensorProduct,
    Embedding,
    GRUUnit,
    Linear,
    PRelu,
    TreeConv,
)
from refluid.paddle.fluid.dygraph.nn.parameter import needed_bias, needed_weight
from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.initializer import Constant


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


def test_what_is_needed_is_made_or_refused():
    owner = Layer("owner")
    weight = needed_weight(owner, [2], "mine", "float64", Constant(3.0))
    assert (weight.name, weight.numpy().tolist()) == ("mine", [3, 3])
    assert needed_bias(owner, [2], None, "float32").numpy().tolist() == [0, 0]
    with pytest.raises(AssertionError, match="`param_attr` must not be False: Layer has a weight"):
        needed_weight(owner, [2], False, "float32")
    with pytest.raises(AssertionError, match="`bias_attr` must not be False: Layer has a bias"):
        needed_bias(owner, [2], False, "float32")
    with pytest.raises(TypeError, match="`dtype` must be float32"):
        needed_weight(owner, [2], None, "int64")


def test_a_layer_s_own_attribute_stands_before_the_class_s():
    layer, other = Linear(2, 3), Linear(2, 3, bias_attr=False)
    assert layer.bias is layer.state_dict()["bias"]
    assert other.bias is None
    assert copy.deepcopy(layer).weight is not layer.weight
    del layer.weight
    assert not hasattr(layer, "weight")
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'weight'"):
        _ = layer.weight
    layer.weight = torch.ones(2, 3)  # as weight normalization leaves it
    assert layer.weight.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_pytorch_s_parametrizations_take_a_layer_s_weight(variable):
    class Doubled(torch.nn.Module):
        def forward(self, weight):
            return weight * 2

    layer = Linear(2, 3, param_attr=Constant(1.0))
    torch.nn.utils.parametrize.register_parametrization(layer, "weight", Doubled())
    assert layer(variable(np.ones((1, 2), "float32"))).numpy().tolist() == [[4, 4, 4]]
    torch.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    assert layer.weight.tolist() == [[2, 2, 2], [2, 2, 2]]


def test_a_parameter_is_replaced_by_another():
    layer = Linear(2, 1)
    layer.weight = ParamBase([2, 1], "float32")
    assert layer.weight is layer.parameters()[0]
