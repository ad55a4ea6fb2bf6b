"""Normalization layers: their parameters, modes and warnings."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.errors import RefluidWarning
from refluid.paddle.fluid.dygraph.nn import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
)
from refluid.paddle.fluid.param_attr import ParamAttr


def described(layer):
    return [(n, p.name, p.trainable, p.stop_gradient) for n, p in layer.named_parameters()]


def test_moving_statistics_are_parameters_that_are_not_trained():
    assert described(BatchNorm(3)) == [
        ("weight", "batch_norm_0.w_0", True, False),
        ("bias", "batch_norm_0.b_0", True, False),
        ("_mean", "batch_norm_0.w_1", False, True),
        ("_variance", "batch_norm_0.w_2", False, True),
    ]
    layer = BatchNorm(3, moving_mean_name="m", moving_variance_name="v")
    assert (layer._mean.name, layer._variance.name) == ("m", "v")
    assert layer._variance.numpy().tolist() == [1, 1, 1]


def test_only_the_mode_of_the_layer_decides_which_statistics_normalize(numbers, variable):
    x = variable(numbers(1, 5, 3))
    for kw, training, moved in [
        ({}, True, True),
        ({"is_test": True}, True, True),
        ({}, False, False),
        ({"trainable_statistics": True}, False, True),
        ({"use_global_stats": True}, True, False),
    ]:
        layer = BatchNorm(3, **kw)
        layer.training = training
        layer(x)
        assert (layer._mean.numpy() != 0).all() == moved, (kw, training)


def test_global_statistics_freeze_parameters_whose_rate_is_zero():
    frozen = BatchNorm(3, use_global_stats=True, param_attr=ParamAttr(learning_rate=0.0))
    assert frozen.weight.stop_gradient
    assert frozen.bias.stop_gradient
    assert not BatchNorm(3, param_attr=ParamAttr(learning_rate=0.0)).weight.stop_gradient
    assert not BatchNorm(3, use_global_stats=True).weight.stop_gradient


def test_half_precision_keeps_parameters_of_float32():
    assert BatchNorm(3, dtype="float16").weight.numpy().dtype == "float32"


def test_layers_have_flat_weights_or_none(numbers, variable):
    layer = LayerNorm([3, 4])
    assert (layer.weight.shape, layer.bias.shape) == ([12], [12])
    assert layer(variable(numbers(1, 2, 3, 4))).shape == [2, 3, 4]
    assert layer._begin_norm_axis == 1
    assert described(LayerNorm(3, scale=False, shift=False)) == []
    assert LayerNorm(np.int64(3))._normalized_shape == [3]


@pytest.mark.parametrize(
    ("kw", "attr"),
    [
        ({"scale": False, "param_attr": ParamAttr()}, "param_attr"),
        ({"shift": False, "bias_attr": ParamAttr()}, "bias_attr"),
    ],
)
def test_an_attribute_without_effect_warns(kw, attr):
    with pytest.warns(RefluidWarning, match=f"`{attr}` has no effect"):
        LayerNorm(3, **kw)


def test_another_shape_than_the_normalized_one_is_refused(numbers, variable):
    with pytest.raises(ValueError, match=r"`input` must end in the dimensions \[6\].*\[2, 5\]"):
        LayerNorm(6)(variable(numbers(1, 2, 5)))
    with pytest.raises(ValueError, match=r"\[2, 6\], but received shape \[6\]"):
        LayerNorm([2, 6])(variable(numbers(1, 6)))


def test_groups_have_parameters_only_if_attributes_are_given():
    assert described(GroupNorm(4, 2)) == []
    assert described(GroupNorm(4, 2, param_attr=ParamAttr())) == [
        ("weight", "group_norm_1.w_0", True, False)
    ]
    assert [n for n, *_ in described(GroupNorm(4, 2, bias_attr=True))] == ["bias"]


def test_the_weight_of_instances_is_called_scale():
    assert [n for n, *_ in described(InstanceNorm(2))] == ["scale", "bias"]
