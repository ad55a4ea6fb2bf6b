"""Variables to write to, constants and their element types."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L


def test_assign_overwrites_a_variable_of_another_shape(variable):
    out = L.create_tensor("float32")
    x = variable([1.0, 2.0])
    assert L.assign(x * 2.0, out) is out
    assert out.numpy().tolist() == [2.0, 4.0]
    L.reduce_sum(out * 3.0).backward()
    assert x.gradient().tolist() == [6.0, 6.0]


def test_overwriting_does_not_reach_who_shares_the_old_memory(variable):
    array = np.zeros(2, "float32")
    shared = fluid.dygraph.to_variable(array)
    L.assign(variable([1.0, 2.0]), shared)
    assert shared.numpy().tolist() == [1.0, 2.0]
    assert array.tolist() == [0.0, 0.0]


def test_a_leaf_that_is_overwritten_passes_gradients_on(variable):
    x, out = variable([3.0, 4.0]), variable([1.0, 2.0])
    assert L.assign(x, out) is out
    L.reduce_sum(out * out).backward()
    # recorded from Paddle 1.8.5
    assert out.numpy().tolist() == [3.0, 4.0]
    assert out.gradient().tolist() == [6.0, 8.0]
    assert x.gradient().tolist() == [6.0, 8.0]


@pytest.mark.parametrize("constant", [True, False])
def test_a_leaf_that_is_overwritten_by_a_constant_still_gets_gradients(variable, constant):
    out, array = variable([1.0, 2.0]), np.array([5.0, 6.0], "float32")
    L.assign(fluid.dygraph.to_variable(array) if constant else array, out)
    L.reduce_sum(out * out).backward()
    assert (out.gradient().tolist(), out.stop_gradient) == ([10.0, 12.0], False)


def test_a_parameter_that_is_overwritten_is_still_trained(variable):
    linear = fluid.dygraph.Linear(2, 1)
    L.assign(variable([[3.0], [4.0]]), linear.weight)
    loss = linear(fluid.dygraph.to_variable(np.ones((1, 2), "float32")))
    loss.backward()
    sgd = fluid.optimizer.SGD(0.5, parameter_list=linear.parameters())
    sgd.minimize(loss)
    assert linear.weight.numpy().tolist() == [[2.5], [3.5]]


def test_sums_writes_to_out(variable):
    out = L.create_tensor("float32")
    assert L.sums([variable([1.0]), variable([2.0])], out) is out
    assert out.numpy() == 3.0


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
def test_constants_have_the_type_that_was_asked_for(dtype):
    for out in (L.fill_constant([2], dtype, 1), L.ones([2], dtype), L.full([2], 1, dtype=dtype)):
        assert (out.numpy().dtype, out.stop_gradient) == (np.dtype(dtype), True)


def test_full_like_can_want_a_gradient(variable):
    assert L.full_like(variable([1.0]), 2.0).stop_gradient
    assert not L.full_like(variable([1.0]), 2.0, stop_gradient=False).stop_gradient


def test_create_global_var_and_tensor_have_names_of_their_own():
    one, two = L.create_global_var([1], 0.0, "float32"), L.create_global_var([1], 0.0, "float32")
    assert one.name != two.name
    assert L.create_global_var([1], 0.0, "float32", True, name="count").name == "count"
    assert L.create_tensor("int64", name="kept", persistable=True).persistable
