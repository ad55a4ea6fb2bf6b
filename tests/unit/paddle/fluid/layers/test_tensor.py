"""Variables to write to, constants and their element types."""

from __future__ import annotations

import numpy as np
import pytest

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
    from refluid.paddle import fluid

    shared = fluid.dygraph.to_variable(array)
    L.assign(variable([1.0, 2.0]), shared)
    assert shared.numpy().tolist() == [1.0, 2.0]
    assert array.tolist() == [0.0, 0.0]


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
