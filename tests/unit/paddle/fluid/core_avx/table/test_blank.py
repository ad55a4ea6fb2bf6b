"""A variable becomes the result that is written to it: values, shape, type, place in the graph."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.errors import UnsupportedFluidAPI
from refluid.paddle import fluid
from refluid.paddle.fluid.core_avx import EnforceNotMet, VarBase
from refluid.paddle.fluid.core_avx.table.blank import Blank, blank, write
from refluid.paddle.fluid.framework import ParamBase


@pytest.fixture(autouse=True)
def graph():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield


def variable(*values: float) -> VarBase:
    made = fluid.dygraph.to_variable(np.array(values, "float32"))
    made.stop_gradient = False
    return made


def test_blank_variable_has_no_sizes_and_cannot_be_read():
    made = blank("int64")
    assert made.shape == []
    assert made.stop_gradient is True
    assert made.name.startswith("tmp_")
    assert str(made) == f"name {made.name}, shape: [], not inited"
    assert blank("float32", "mine").name == "mine"
    with pytest.raises(EnforceNotMet, match="is empty: no operator has written to it"):
        made.numpy()


def test_blank_variable_becomes_a_plain_one_in_the_graph():
    x, out = variable(1.0, -2.0), blank("int64")
    name = out.name
    assert write(fluid.layers.relu(x), out) is out
    assert type(out) is VarBase
    assert (out.name, out.shape, out.stop_gradient) == (name, [2], False)
    out.backward()
    assert x.gradient().tolist() == [1.0, 0.0]
    assert out.gradient().tolist() == [1.0, 1.0]


def test_stop_gradient_set_before_stays():
    x, out = variable(1.0), blank()
    out.stop_gradient = True
    write(fluid.layers.relu(x), out)
    assert out.stop_gradient is True
    fluid.layers.scale(out, 2.0).backward()
    assert x.gradient() is None


def test_result_without_gradient_is_taken_over_with_its_type():
    out = blank()
    with fluid.dygraph.no_grad():
        write(fluid.layers.relu(variable(3.0)), out)
    assert out.numpy().tolist() == [3.0]
    assert out.stop_gradient is True
    write(fluid.layers.fill_constant([2], "int64", 7), out)
    assert out.numpy().tolist() == [7, 7]
    assert str(out.dtype) == "VarType.INT64"


def test_variable_that_was_an_input_keeps_its_earlier_uses():
    x = variable(1.0, -2.0)
    y = fluid.layers.scale(x, 3.0)
    z = fluid.layers.scale(y, 2.0)
    write(fluid.layers.relu(y), y)
    assert y.numpy().tolist() == [3.0, 0.0]
    fluid.layers.elementwise_add(z, y).backward()
    # d(6 x + relu(3 x)) / dx
    assert x.gradient().tolist() == [9.0, 6.0]


def test_values_that_a_backward_pass_needs_are_missed_aloud():
    x = variable(1.0, -2.0)
    y = fluid.layers.scale(x, 3.0)
    z = fluid.layers.square(y)
    write(fluid.layers.relu(y), y)
    with pytest.raises(EnforceNotMet, match="modified by an inplace operation"):
        z.backward()


def test_parameter_keeps_its_memory_and_stays_a_leaf():
    parameter = ParamBase([2], "float32")
    memory = parameter.data_ptr()
    write(fluid.layers.scale(variable(1.0, 2.0), 2.0), parameter)
    assert parameter.numpy().tolist() == [2.0, 4.0]
    assert parameter.data_ptr() == memory
    assert parameter.is_leaf
    assert parameter.stop_gradient is False


def test_gradients_cannot_flow_through_a_view_that_is_written_to():
    x = variable(1.0, 2.0)
    view = fluid.layers.reshape(fluid.layers.scale(x, 2.0), [2, 1])
    assert view._is_view()
    with pytest.raises(UnsupportedFluidAPI, match="variable of its own"):
        write(fluid.layers.relu(x), view)


def test_writing_a_variable_to_itself_changes_nothing():
    x = variable(1.0)
    assert write(x, x) is x
    assert isinstance(blank(), Blank)
    assert torch.equal(x.data, torch.ones(1))
