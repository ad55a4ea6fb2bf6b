"""The layer that makes one recurrent step."""

from __future__ import annotations

import numpy as np

from refluid.paddle.fluid.dygraph.nn import GRUUnit
from refluid.paddle.fluid.initializer import Constant


def test_a_recurrent_step_gives_state_reset_state_and_gates(numbers, variable):
    args = variable(numbers(1, 2, 9)), variable(numbers(2, 2, 3))
    new, reset, gate = GRUUnit(9)(*args)
    assert (new.shape, reset.shape, gate.shape) == ([2, 3], [2, 3], [2, 9])


def test_a_recurrent_step_ignores_its_origin_mode(numbers, variable):
    outs = []
    for origin_mode in (False, True):
        layer = GRUUnit(9, Constant(0.1), activation="relu", origin_mode=origin_mode)
        outs.append(layer(variable(numbers(1, 2, 9)), variable(numbers(2, 2, 3)))[0].numpy())
    np.testing.assert_array_equal(*outs)
