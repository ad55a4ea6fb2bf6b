"""What programs use of `LayerHelper`: parameters, variables, operators by name."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.layer_helper import LayerHelper


@pytest.fixture(autouse=True)
def graph():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield


def variable(*shape: int, dtype: str = "float32"):
    return fluid.dygraph.to_variable(np.ones(shape, dtype))


def test_names_begin_with_the_layers_number_or_the_given_name():
    first, second, named = LayerHelper("fc"), LayerHelper("fc"), LayerHelper("fc", name="head")
    made = [helper.create_weight(None, [2]).name for helper in (first, first, second, named)]
    assert made == ["fc_0.w_0", "fc_0.w_1", "fc_1.w_0", "head.w_0"]
    assert second.create_parameter(None, [2], is_bias=True).name == "fc_1.b_0"
    assert (named.name, named.layer_type, named.kwargs["name"]) == ("head", "fc", "head")


def test_a_bias_can_be_left_out_and_a_weight_cannot():
    helper = LayerHelper("fc")
    assert helper.create_parameter(False, [2], is_bias=True) is None
    with pytest.raises(AssertionError, match="must not be False"):
        helper.create_weight(False, [2])


def test_whole_numbers_need_an_initializer():
    helper = LayerHelper("fc")
    with pytest.raises(TypeError, match="needs a `default_initializer`"):
        helper.create_parameter(None, [2], "int64")
    made = helper.create_parameter(
        None, [2], "int64", default_initializer=fluid.initializer.Constant(3)
    )
    assert made.numpy().tolist() == [3, 3]


def test_initializer_of_a_program_runs_an_operator_of_its_block():
    class Sevens(fluid.initializer.Initializer):
        def __call__(self, var, block):
            block.append_op(
                type="fill_constant",
                outputs={"Out": var},
                attrs={"shape": var.shape, "dtype": int(var.dtype), "value": 7.0},
            )

    made = LayerHelper("fc").create_parameter(Sevens(), [2, 3])
    assert made.numpy().tolist() == [[7.0] * 3] * 2
    assert made.stop_gradient is False


def test_operator_of_a_crf_trains_its_transitions():
    emission, transition = variable(1, 3, 2), LayerHelper("crf").create_weight(None, [4, 2])
    emission.stop_gradient = False
    label = variable(1, 3, dtype="int64")
    length = fluid.dygraph.to_variable(np.array([[3]], "int64"))
    helper = LayerHelper("linear_chain_crf", size=2)
    names = ["Alpha", "EmissionExps", "TransitionExps", "LogLikelihood"]
    outs = [helper.create_variable_for_type_inference("float32") for _ in names]
    helper.append_op(
        type="linear_chain_crf",
        inputs={"Emission": [emission], "Transition": transition, "Label": label, "Length": length},
        outputs={name: [out] for name, out in zip(names, outs, strict=True)},
    )
    assert outs[3].shape == [1, 1]
    outs[3].backward()
    assert emission.gradient().shape == (1, 3, 2)
    assert np.abs(transition.gradient()).sum() > 0


def test_bias_and_activation_follow_the_arguments_of_the_call():
    x = variable(2, 3)
    helper = LayerHelper("fc", input=x, act="tanh", bias_attr=fluid.initializer.Constant(0.5))
    biased = helper.append_bias_op(x)
    assert biased.numpy().tolist() == [[1.5] * 3] * 2
    assert biased.stop_gradient is False
    np.testing.assert_allclose(helper.append_activation(x).numpy(), np.tanh(np.ones((2, 3))), 1e-6)
    plain = LayerHelper("fc", bias_attr=False)
    assert plain.append_bias_op(x) is x
    assert plain.append_activation(x) is x
    with pytest.raises(TypeError, match="`act` must be the name"):
        LayerHelper("fc", act=fluid.layers.relu).append_activation(x)
    with pytest.raises(EnforceNotMet, match="nosuch has not been registered"):
        LayerHelper("fc", act="nosuch").append_activation(x)


def test_inputs_and_their_attributes_come_in_pairs():
    x, y = variable(2), variable(2)
    helper = LayerHelper("fc", input=[x, y], param_attr=fluid.ParamAttr(learning_rate=0.5))
    pairs = list(helper.iter_inputs_and_params())
    assert pairs[0][0] is x
    assert pairs[1][0] is y
    assert [pair[1].learning_rate for pair in pairs] == [0.5, 0.5]
    assert pairs[0][1] is not pairs[1][1]
    assert str(helper.input_dtype()) == "VarType.FP32"
    assert helper.input_dtype("other") is None
    with pytest.raises(TypeError, match="fc takes one input, but received 2"):
        helper.input()
    with pytest.raises(ValueError, match="3, one for each input"):
        LayerHelper("fc", param_attr=[None, None]).multiple_param_attr(3)
    mixed = LayerHelper("fc", input=[x, variable(2, dtype="int64")])
    with pytest.raises(ValueError, match="must have one element type"):
        mixed.input_dtype()


def test_arguments_can_be_checked():
    helper = LayerHelper("fc", size=3)
    helper.is_instance("size", int)
    with pytest.raises(TypeError, match="`size` must be a str"):
        helper.is_instance("size", str)


def test_variables_and_programs():
    helper = LayerHelper("fc")
    assert helper.main_program is fluid.default_main_program()
    assert helper.startup_program is fluid.default_startup_program()
    made = helper.create_variable_for_type_inference(dtype="float32")
    assert (made.shape, made.stop_gradient) == ([], True)
    given = variable(2)
    assert helper.to_variable(given) is given
    assert helper.to_variable(np.ones(2)).shape == [2]
    with pytest.raises(TypeError, match="must be an array or a Variable"):
        helper.to_variable(3)
    fresh, new = helper.create_or_get_global_variable("total", dtype="float32", shape=[2])
    assert new is True
    assert (fresh.name, fresh.shape) == ("total", [2])
    helper.set_variable_initializer(fresh, fluid.initializer.Constant(4.0))
    assert fresh.numpy().tolist() == [4.0, 4.0]
    with pytest.raises(ValueError, match="'absent'"):
        helper.get_parameter("absent")


def test_operator_needs_a_name():
    with pytest.raises(ValueError, match="`type` must be the name"):
        LayerHelper("fc").append_op(inputs={"X": variable(2)})
