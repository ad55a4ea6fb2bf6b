"""Rearranged variables are copies where a program could see it."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.tracer import use_tracer

SAME_MEMORY = [
    lambda x: L.reshape(x, [4]),
    lambda x: L.transpose(x, [1, 0]),
    lambda x: L.unsqueeze(x, [0]),
    lambda x: L.squeeze(x, []),
    lambda x: L.flatten(x),
    lambda x: L.slice(x, [0], [0], [2]),
    lambda x: L.split(x, 2)[0],
    lambda x: L.unstack(x)[0],
    lambda x: L.expand(x, [1, 1]),
    lambda x: L.assign(x),
    lambda x: L.concat([x]),
    lambda x: L.t(x),
    lambda x: L.cast(x, "float32"),
    lambda x: L.sums([x]),
    lambda x: L.crop(x, [2, 2]),
    lambda x: L.expand_as(x, x),
    lambda x: L.meshgrid([L.reshape(x, [4])])[0],
    lambda x: L.unsqueeze(x, []),
    lambda x: L.slice(x, [], [], []),
    lambda x: L.strided_slice(x, [], [], [], []),
]


@pytest.mark.parametrize("function", SAME_MEMORY)
def test_overwriting_a_leaf_leaves_the_result_alone(variable, function):
    x = variable([[1.0, 2.0], [3.0, 4.0]])
    out = function(x)
    before = out.numpy()
    x.set_value(np.zeros((2, 2), "float32"))
    np.testing.assert_array_equal(out.numpy(), before)


def test_concat_of_one_variable_joins_its_rows(variable):
    assert L.concat(variable([[1.0, 2.0], [3.0, 4.0]])).numpy().tolist() == [1.0, 2.0, 3.0, 4.0]


def test_inplace_reshape_warns_and_copies(variable):
    with pytest.warns(UserWarning, match="`inplace` has no effect"):
        assert L.reshape(variable([1.0, 2.0]), [2, 1], inplace=True).shape == [2, 1]


def test_sizes_may_be_variables(variable):
    two = variable([2], "int64")
    assert L.fill_constant([two, 3], "float32", 1.0).shape == [2, 3]
    assert L.fill_constant(variable([2, 3], "int32"), "float32", two).numpy().sum() == 12
    assert L.crop_tensor(variable(np.ones((3, 4))), [two, -1], [0, two]).shape == [2, 2]
    assert L.unsqueeze(variable([1.0]), variable([0], "int32")).shape == [1, 1]
    assert L.split(variable(np.ones((2, 4))), 2, dim=variable([0], "int32"))[0].shape == [1, 4]


def test_expand_takes_a_variable_outside_of_the_dynamic_graph_only(variable):
    x, times = variable([[1.0], [2.0]]), variable([1, 2], "int32")
    with pytest.raises(TypeError, match="`expand_times`"):
        L.expand(x, times)
    with use_tracer(None):
        assert L.expand(x, times).numpy().tolist() == [[1.0, 1.0], [2.0, 2.0]]


def test_stop_gradient_on_a_result_ends_the_graph(variable):
    x = variable([1.0, 2.0])
    y = x * 2.0
    y.stop_gradient = True
    L.reduce_sum(L.reshape(y, [2, 1]) + L.reshape(x, [2, 1])).backward()
    assert x.gradient().tolist() == [1.0, 1.0]


def test_results_without_recording_need_no_gradient(variable):
    with fluid.dygraph.no_grad():
        assert L.reshape(variable([1.0, 2.0]), [2, 1]).stop_gradient


def test_expand_as_of_nothing_is_nothing(variable):
    nothing = variable(np.zeros((2, 0)))
    assert L.expand_as(nothing, variable(np.zeros((4, 0)))).shape == [4, 0]
    with pytest.raises(EnforceNotMet, match="must divide"):
        L.expand_as(nothing, variable(np.zeros((2, 1))))
