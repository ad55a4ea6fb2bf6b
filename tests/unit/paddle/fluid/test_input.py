"""fluid.one_hot and fluid.embedding take numbers of any shape."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid.core_avx import EnforceNotMet


@pytest.fixture(autouse=True)
def graph():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield


@pytest.mark.parametrize("shape", [(3,), (3, 1), (1, 3, 1)])
def test_one_dimension_is_added(shape):
    ids = fluid.dygraph.to_variable(np.array([1, 0, 2]).reshape(shape))
    hot = fluid.one_hot(ids, 4)
    assert hot.shape == [*shape, 4]
    np.testing.assert_array_equal(hot.numpy().reshape(3, 4).argmax(1), [1, 0, 2])
    assert fluid.embedding(ids, [5, 7]).shape == [*shape, 7]


def test_numbers_out_of_range_are_refused_or_give_zeros():
    ids = fluid.dygraph.to_variable(np.array([1, 9]))
    with pytest.raises(EnforceNotMet, match="from 0 to 3"):
        fluid.one_hot(ids, 4)
    assert fluid.one_hot(ids, 4, allow_out_of_range=True).numpy().sum() == 1
    with pytest.raises(EnforceNotMet, match="from 0 to 4"):
        fluid.embedding(ids, [5, 7])


def test_the_depth_may_be_a_variable():
    ids = fluid.dygraph.to_variable(np.array([1, 0]))
    assert fluid.one_hot(ids, fluid.layers.fill_constant([1], "int32", 3)).shape == [2, 3]
