"""The layer that convolves over trees."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.dygraph.base import to_variable
from refluid.paddle.fluid.dygraph.nn import TreeConv


@pytest.mark.parametrize("act", [None, "tanh"])
def test_a_given_name_is_that_of_a_result_without_activation(numbers, variable, act):
    edges = to_variable(np.array([[[1, 2], [1, 3]]], "int32"))
    out = TreeConv(3, 2, act=act, name="mine")(variable(numbers(1, 1, 4, 3)), edges)
    assert out.shape == [1, 4, 2, 1]
    assert (out.name == "tree_conv_0.mine") == (act is None)
