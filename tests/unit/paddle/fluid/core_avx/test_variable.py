"""A variable behaves as Paddle's, and is a tensor all the same."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.core_avx import EnforceNotMet, VarBase, VarDesc
from refluid.paddle.fluid.dygraph.base import guard, to_variable
from refluid.paddle.fluid.framework import ParamBase


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


def variable(*shape: int, dtype: str = "float32", leaf: bool = False) -> VarBase:
    v = to_variable(np.arange(1, np.prod(shape) + 1, dtype=dtype).reshape(shape))
    v.stop_gradient = not leaf
    return v


def test_it_is_a_tensor():
    v = variable(2, 3)
    assert isinstance(v, torch.Tensor)
    assert type(torch.relu(v)) is torch.Tensor
    assert torch.equal(torch.nn.functional.relu(v), torch.arange(1.0, 7).reshape(2, 3))


def test_shape_is_a_list_and_dtype_a_var_type():
    v = variable(2, 3)
    assert v.shape == [2, 3]
    assert type(v.shape) is list
    assert v.dtype == VarDesc.VarType.FP32
    assert str(v.dtype) == "VarType.FP32"
    with pytest.raises(TypeError, match="float32"):
        _ = v.dtype == "float32"


def test_names_are_counted_in_each_guard():
    assert variable(1).name == "generated_var_0"
    assert (variable(1) * 2.0).name == "tmp_2"
    with guard():
        assert variable(1).name == "generated_var_0"


def test_print_shows_all_values_with_six_digits():
    v = to_variable(np.array([1 / 3, 1e-7, 123456789.0, np.nan, -np.inf]))
    assert str(v) == (
        "name generated_var_0, dtype: VarType.FP64 shape: [5] \tlod: {}\n\tdim: 5\n\t"
        "layout: NCHW\n\tdtype: double\n\tdata: [0.333333 1e-07 1.23457e+08 nan -inf]\n"
    )
    assert f"{v}" == str(v)
    with pytest.raises(TypeError, match="float"):
        f"{v:.2f}"
    assert "%.1f" % variable(1) == "1.0"


def test_array_and_variable_share_memory_on_the_cpu():
    array = np.ones(3, "float32")
    shared, copied = to_variable(array), to_variable(array, zero_copy=False)
    array[0] = 5
    assert shared.numpy()[0] == 5
    assert copied.numpy()[0] == 1


@pytest.mark.parametrize(
    "array",
    [
        np.ones((2, 3)).T,
        np.arange(4.0)[::-1],
        np.arange(3, dtype=">f4"),
        np.broadcast_to(np.float32(1), (2,)),
    ],
)
def test_any_layout_of_array_is_accepted(array):
    assert np.array_equal(to_variable(array).numpy(), array)


def test_numpy_is_a_copy():
    v = variable(3)
    v.numpy()[0] = 9
    assert v.numpy()[0] == 1


@pytest.mark.parametrize("value", [[1, 2], 3.0, np.float32(3), "text", None])
def test_only_arrays_become_variables(value):
    with pytest.raises(TypeError, match=r"`value` must be a numpy\.ndarray or a Variable"):
        to_variable(value)


def test_element_types_that_paddle_has_not_are_refused():
    with pytest.raises(TypeError, match="uint32"):
        to_variable(np.ones(2, "uint32"))


def test_numbers_take_the_variables_type():
    i = variable(3, dtype="int64")
    assert (i + 1.0).dtype == VarDesc.VarType.INT64
    assert (to_variable(np.array([7, -7, 8])) / 2).numpy().tolist() == [3, -3, 4]
    assert (to_variable(np.array([7, -7, 8])) % 2).numpy().tolist() == [1, -1, 0]
    assert (2**i).numpy().tolist() == [2, 4, 8]
    assert (1 - variable(2)).numpy().tolist() == [0, -1]
    assert (2 / variable(2)).numpy().tolist() == [2, 1]
    with pytest.raises(AssertionError, match=r"1\.5 cannot be combined with an integer"):
        i + 1.5


def test_two_element_types_are_not_mixed():
    with pytest.raises(TypeError, match="float32 and int64"):
        variable(2) + variable(2, dtype="int64")
    with pytest.raises(EnforceNotMet, match=r"numpy\.ndarray of shape \[2\]"):
        variable(2) + np.ones(2)
    with pytest.raises(AttributeError, match=r"numpy\.ndarray"):
        np.ones(2) + variable(2)
    assert (np.float32(2) * variable(2)).numpy().tolist() == [2, 4]


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(EnforceNotMet, match=r"float32 \[2, 3\] and float32 \[2\]"):
        variable(2, 3) + variable(2)


def test_comparisons_give_bools():
    v = variable(3)
    assert (v > 1).numpy().tolist() == [False, True, True]
    assert (v == v).dtype == VarDesc.VarType.BOOL
    assert v in [v]
    assert {v: 1}[v] == 1


def test_condition_means_positive():
    assert [bool(variable(1) * k) for k in (1.0, 0.0, -1.0)] == [True, False, False]
    with pytest.raises(AssertionError, match="must have one element"):
        bool(variable(2))


def test_parts_are_copies_with_paddles_shapes():
    v = variable(2, 3, 4)
    shapes = [v[0].shape, v[0, 1].shape, v[0, 1, 2].shape, v[:, 1].shape, v[0:1].shape]
    assert shapes == [[3, 4], [4], [1], [2, 4], [1, 3, 4]]
    assert np.array_equal(v[::-1, :, 2:0:-1].numpy(), v.numpy()[::-1, :, 2:0:-1])
    assert np.array_equal(v[0, ::-1].numpy(), v.numpy()[0, ::-1])
    part = v[0]
    v.set_value(np.zeros((2, 3, 4), "float32"))
    assert part.numpy()[0, 0] == 1


@pytest.mark.parametrize("index", [[0, 1], None, Ellipsis, True, "a", (0, 0, 0), slice(2, 2)])
def test_other_indices_are_refused(index):
    with pytest.raises(EnforceNotMet):
        variable(3, 2)[index]


def test_index_out_of_range_and_assignment():
    with pytest.raises(IndexError):
        variable(3)[5]
    with pytest.raises(TypeError, match="set_value"):
        variable(3)[0] = 1.0
    assert [v.shape for v in itertools.islice(variable(3, 2), 9)] == [[2]] * 3


def test_set_value_checks_shape_and_type():
    v = variable(2, 3)
    with pytest.raises(AssertionError, match=r"\[2, 3\], but `value` has shape \[3, 2\]"):
        v.set_value(np.ones((3, 2), "float32"))
    with pytest.raises(AssertionError, match="float64"):
        v.set_value(np.ones((2, 3)))
    with pytest.raises(AssertionError, match="list"):
        v.set_value([[1.0] * 3] * 2)
    v.set_value(variable(2, 3) * 2.0)
    assert v.numpy()[1, 2] == 12


def test_a_parameter_copies_with_its_attributes():
    p = ParamBase([2], "float32", name="w", trainable=True, optimize_attr={"learning_rate": 0.5})
    p.set_value(np.ones(2, "float32"))
    twin = copy.deepcopy(p)
    p.set_value(np.zeros(2, "float32"))
    assert twin.numpy().tolist() == [1, 1]
    assert type(twin) is ParamBase
    assert (twin.name, twin.optimize_attr, twin.stop_gradient) == (
        "w",
        {"learning_rate": 0.5},
        False,
    )
