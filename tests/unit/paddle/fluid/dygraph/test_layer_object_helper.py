"""Every Layer has a helper that runs operators by their names."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid.dygraph.layer_object_helper import LayerObjectHelper


@pytest.fixture(autouse=True)
def graph():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield


class Scaled(fluid.dygraph.Layer):
    def __init__(self):
        super().__init__("scaled")
        self.weight = self._helper.create_parameter(None, [3, 2], "float32")

    def forward(self, x):
        out = self._helper.create_variable_for_type_inference(x.dtype)
        self._helper.append_op(
            type="mul",
            inputs={"X": [x], "Y": [self.weight]},
            outputs={"Out": [out]},
            attrs={"x_num_col_dims": 1, "y_num_col_dims": 1},
        )
        return self._helper.append_activation(out, act="relu")


def test_layer_of_operators_trains():
    layer = Scaled()
    assert layer.weight.name == "scaled_0.w_0"
    assert layer.parameters()[0] is layer.weight
    layer.weight.set_value(np.array([[1, -1], [1, -1], [1, -1]], "float32"))
    x = fluid.dygraph.to_variable(np.array([[1, 2, 3]], "float32"))
    out = layer(x)
    assert out.numpy().tolist() == [[6.0, 0.0]]
    fluid.layers.reduce_sum(out).backward()
    assert layer.weight.gradient().tolist() == [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]
    sgd = fluid.optimizer.SGD(0.5, parameter_list=layer.parameters())
    sgd.minimize(out)
    assert layer.weight.numpy()[:, 0].tolist() == [0.5, 0.0, -0.5]


def test_helper_has_the_layers_name_and_is_copied_with_it():
    layer = Scaled()
    assert isinstance(layer._helper, LayerObjectHelper)
    assert layer._helper.name == layer._helper.layer_type == layer.full_name() == "scaled_0"
    assert copy.deepcopy(layer)._helper.name == "scaled_0"


def test_inputs_are_checked():
    helper = Scaled()._helper
    x = fluid.dygraph.to_variable(np.ones(2, "float32"))
    assert str(helper.input_dtype([x, x])) == "VarType.FP32"
    assert helper.input_dtype(None) is None
    ((same, attr),) = helper.iter_inputs_and_params(x, None)
    assert same is x
    assert isinstance(attr, fluid.ParamAttr)
    with pytest.raises(ValueError, match="`param_attr_in` must not be False"):
        list(helper.iter_inputs_and_params(x, False))
    helper.is_instance(3, int)
    with pytest.raises(TypeError, match="expected a int"):
        helper.is_instance("3", int)
