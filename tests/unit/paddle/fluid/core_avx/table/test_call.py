"""Calls by name: forms of arguments, and the errors that Paddle raises."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.errors import UnsupportedFluidAPI
from refluid.paddle import fluid
from refluid.paddle.fluid.core_avx import EnforceNotMet, VarBase
from refluid.paddle.fluid.core_avx.table import blank, ops, trace


@pytest.fixture(autouse=True)
def graph():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield


@pytest.fixture
def x() -> VarBase:
    made = fluid.dygraph.to_variable(np.array([[1.0, -2.0], [3.0, 4.0]], "float32"))
    made.stop_gradient = False
    return made


def relu_of(given, **kwargs) -> VarBase:
    out = blank()
    trace("relu", {"X": given}, {"Out": out}, **kwargs)
    return out


# --- trace --------------------------------------------------------------------------------------


def test_variables_come_alone_or_in_lists(x):
    for given in (x, [x], (x,), [x, x]):
        assert relu_of(given).numpy().tolist() == [[1.0, 0.0], [3.0, 4.0]]


def test_unknown_attributes_and_inputs_are_passed_over(x):
    out = blank()
    inputs = {"X": x, "Z": x}
    trace("relu", inputs, {"Out": out, "Y": blank()}, {"nothing": 3, "use_mkldnn": None})
    assert out.numpy().tolist() == [[1.0, 0.0], [3.0, 4.0]]


def test_stop_gradient_records_nothing(x):
    assert relu_of(x).stop_gradient is False
    assert relu_of(x, stop_gradient=True).stop_gradient is True
    assert torch.is_grad_enabled()


def test_operator_unknown_to_paddle_is_not_met(x):
    with pytest.raises(EnforceNotMet, match="Operator nosuch has not been registered"):
        trace("nosuch", {"X": x}, {"Out": blank()}, {})


@pytest.mark.parametrize("name", ["while", "relu_grad", "prroi_pool"])
def test_operator_unknown_to_refluid_is_unsupported(x, name):
    with pytest.raises(UnsupportedFluidAPI, match=f"`{name}`"):
        trace(name, {"X": x}, {"Out": blank()}, {})


def test_missing_slots_and_attributes_are_not_met(x):
    with pytest.raises(EnforceNotMet, match="elementwise_add: the input `Y` is missing"):
        trace("elementwise_add", {"X": x}, {"Out": blank()}, {})
    with pytest.raises(EnforceNotMet, match="top_k: the output `Indices` must be given"):
        trace("top_k", {"X": x}, {"Out": blank()}, {})
    with pytest.raises(EnforceNotMet, match="relu: the input `X` is missing"):
        trace("relu", {"X": []}, {"Out": blank()}, {})
    with pytest.raises(EnforceNotMet, match="cast: the attribute `in_dtype` is required"):
        trace("cast", {"X": x}, {"Out": blank()}, {"out_dtype": 3})


@pytest.mark.parametrize("wrong", [[None], np.ones(2), 3.0, "x"])
def test_what_is_no_variable_is_not_met(x, wrong):
    with pytest.raises(EnforceNotMet, match="relu: the input `X` must be a Variable"):
        trace("relu", {"X": wrong}, {"Out": blank()}, {})
    with pytest.raises(EnforceNotMet, match="relu: the output `Out` must be a Variable"):
        trace("relu", {"X": x}, {"Out": wrong}, {})


def test_none_means_that_nothing_is_given(x):
    out = blank()
    trace("scale", {"X": x, "ScaleTensor": None}, {"Out": out}, {"scale": 2.0, "bias": 0.0})
    np.testing.assert_array_equal(out.numpy(), x.numpy() * 2)
    with pytest.raises(EnforceNotMet, match="relu: the input `X` is missing"):
        trace("relu", {"X": None}, {"Out": blank()}, {})
    with pytest.raises(EnforceNotMet, match="top_k: the output `Indices` must be given"):
        trace("top_k", {"X": x}, {"Out": blank(), "Indices": None}, {})


def test_arguments_that_are_no_tables_are_type_errors(x):
    with pytest.raises(TypeError, match="`type` must be the name"):
        trace(3, {"X": x}, {"Out": blank()}, {})
    with pytest.raises(TypeError, match="`inputs` must be a dict"):
        trace("relu", [x], {"Out": blank()}, {})
    with pytest.raises(TypeError, match="`attrs` must be a dict by names"):
        trace("relu", {"X": x}, {"Out": blank()}, {3: 4})


def test_input_and_attribute_that_refluid_does_not_heed_are_unsupported(x):
    weight = fluid.dygraph.to_variable(np.ones((1, 1, 1, 1), "float32"))
    image = fluid.dygraph.to_variable(np.ones((1, 1, 2, 2), "float32"))
    inputs = {"Input": image, "Filter": weight, "Bias": weight}
    with pytest.raises(UnsupportedFluidAPI, match="`conv2d` does not take the input `Bias`"):
        trace("conv2d", inputs, {"Output": blank()}, {})
    with pytest.raises(UnsupportedFluidAPI, match="does not heed the attribute `diag_num`"):
        trace("uniform_random", {}, {"Out": blank()}, {"shape": [2, 2], "diag_num": 2})


def test_number_of_outputs_must_fit(x):
    with pytest.raises(EnforceNotMet, match="`Out` has 2 variables, but received 3"):
        trace("split", {"X": x}, {"Out": [blank(), blank(), blank()]}, {"num": 2, "axis": 1})


def test_output_that_paddle_alone_computes_stays_empty(x):
    out, shape = blank(), blank()
    trace("reshape2", {"X": x}, {"Out": out, "XShape": shape}, {"shape": [4]})
    assert out.shape == [4]
    with pytest.raises(EnforceNotMet, match="refluid does not compute that output"):
        shape.numpy()


def test_moving_statistics_must_be_overwritten_in_place():
    image = fluid.dygraph.to_variable(np.ones((2, 3, 2, 2), "float32"))
    ones, mean, variance = (fluid.dygraph.to_variable(np.ones(3, "float32")) for _ in range(3))
    inputs = {"X": image, "Scale": ones, "Bias": ones, "Mean": mean, "Variance": variance}
    outputs = {"Y": blank(), "MeanOut": blank(), "VarianceOut": variance}
    with pytest.raises(EnforceNotMet, match="`MeanOut` must be the variable of the input `Mean`"):
        trace("batch_norm", inputs, outputs, {})


# --- core.ops -----------------------------------------------------------------------------------


def test_function_returns_results_in_paddles_order(x):
    assert ops.relu(x).numpy().tolist() == [[1.0, 0.0], [3.0, 4.0]]
    assert ops.leaky_relu(x, "alpha", 0.5).numpy().tolist() == [[1.0, -1.0], [3.0, 4.0]]
    out, shape = ops.transpose2(x, "axis", [1, 0])
    assert out.numpy().tolist() == [[1.0, 3.0], [-2.0, 4.0]]
    assert shape.shape == []
    label = fluid.dygraph.to_variable(np.array([[1], [0]], "int64"))
    softmax, loss = ops.softmax_with_cross_entropy(x, label)
    assert (softmax.shape, loss.shape) == ([2, 2], [2, 1])
    assert fluid.core.ops is ops


def test_function_writes_to_the_variable_it_takes(x):
    out = blank()
    assert ops.matmul(x, x, out, "transpose_Y", True) is out
    assert out.numpy().tolist() == [[5.0, -5.0], [-5.0, 25.0]]
    with pytest.raises(TypeError, match=r"matmul\(X: VarBase, Y: VarBase, Out: VarBase"):
        ops.matmul(x, x)
    with pytest.raises(EnforceNotMet, match="the output `Out` must be a Variable to write to"):
        ops.matmul(x, x, None)


def test_function_takes_lists_and_numbers_of_outputs(x):
    assert ops.sum([x, x]).numpy().tolist() == [[2.0, -4.0], [6.0, 8.0]]
    # a variable is a list of its rows
    assert ops.sum(x).numpy().tolist() == [4.0, 2.0]
    assert [v.shape for v in ops.split(x, 2, "num", 2, "axis", 1)] == [[2, 1], [2, 1]]
    with pytest.raises(EnforceNotMet, match="there are 2 outputs `Out`, but 3 were asked for"):
        ops.split(x, 3, "num", 2, "axis", 1)


def test_function_refuses_other_arguments(x):
    with pytest.raises(TypeError, match=r"relu\(X: VarBase, \*attributes\), but received nothing"):
        ops.relu()
    for wrong in (np.ones(3, "float32"), [x], 3):
        with pytest.raises(TypeError, match="core.ops: expected relu"):
            ops.relu(wrong)
    with pytest.raises(EnforceNotMet, match="the input `X` is missing"):
        ops.relu(None)
    with pytest.raises(EnforceNotMet, match="attributes must come in pairs"):
        ops.relu(x, "a")
    with pytest.raises(RuntimeError, match="an attribute's name must be a str"):
        ops.relu(x, 3, 1)
    with pytest.raises(EnforceNotMet, match="`alpha` must be a float"):
        ops.leaky_relu(x, "alpha", "b")


def test_module_of_functions_knows_paddles_names():
    with pytest.raises(AttributeError, match="has no attribute 'nosuch'"):
        _ = ops.nosuch
    assert {"relu", "prroi_pool"} <= set(dir(ops))
    assert not hasattr(ops, "prroi_pool")


# --- operators whose numbers were not recorded ----------------------------------------------------


def test_random_operators_follow_their_settings():
    torch.manual_seed(0)
    drawn = ops.randint("shape", [100], "low", 2, "high", 5, "dtype", 2)
    assert set(drawn.numpy().tolist()) == {2, 3, 4}
    assert str(drawn.dtype) == "VarType.INT32"
    order = ops.randperm("n", 5, "dtype", 3)
    assert sorted(order.numpy().tolist()) == [0, 1, 2, 3, 4]
    chances = fluid.dygraph.to_variable(np.array([[0.0, 1.0], [1.0, 0.0]], "float32"))
    assert ops.sampling_id(chances, "min", 0.1, "max", 0.9).numpy().tolist() == [1, 0]
    image = fluid.dygraph.to_variable(np.arange(12, dtype="float32").reshape(1, 3, 4))
    seed = fluid.dygraph.to_variable(np.array([3], "int64"))
    piece, _ = ops.random_crop(image, seed, "shape", [2, 2])
    first = piece.numpy()[0, 0, 0]
    assert piece.numpy()[0].tolist() == [[first, first + 1], [first + 4, first + 5]]


def test_nce_is_the_sum_of_costs():
    fed = {
        "Input": np.ones((2, 3), "float32"),
        "Label": np.array([[0], [1]], "int64"),
        "Weight": np.zeros((4, 3), "float32"),
    }
    made = {slot: fluid.dygraph.to_variable(array) for slot, array in fed.items()}
    cost, *_ = ops.nce(*made.values(), "num_total_classes", 4, "num_neg_samples", 2, "seed", 1)
    # every score is 0, so that o = 1/2, and q = 2 / 4
    np.testing.assert_allclose(cost.numpy(), np.full((2, 1), 3 * np.log(2)), rtol=1e-6)


def test_rare_operators_are_the_functions_of_layers():
    image = fluid.dygraph.to_variable(np.random.RandomState(0).rand(2, 3, 2, 2).astype("float32"))
    focus = ops.similarity_focus(image, "axis", 1, "indexes", [0])
    expected = fluid.layers.similarity_focus(image, 1, [0])
    assert focus.numpy().tolist() == expected.numpy().tolist()
    boxes = fluid.dygraph.to_variable(np.random.RandomState(1).rand(1, 3, 4).astype("float32"))
    scores = fluid.dygraph.to_variable(np.random.RandomState(2).rand(1, 2, 3).astype("float32"))
    settings = {"score_threshold": 0.1, "nms_top_k": 5, "keep_top_k": 3, "background_label": -1}
    words = [word for pair in settings.items() for word in pair]
    for name in ("multiclass_nms2", "locality_aware_nms"):
        chosen = scores if name == "multiclass_nms2" else fluid.layers.slice(scores, [1], [0], [1])
        found = getattr(ops, name)(boxes, chosen, *words)
        found = found[0] if isinstance(found, tuple) else found
        function = "locality_aware_nms" if name == "locality_aware_nms" else "multiclass_nms"
        expected = getattr(fluid.layers, function)(boxes, chosen, **settings)
        assert found.numpy().tolist() == expected.numpy().tolist()
