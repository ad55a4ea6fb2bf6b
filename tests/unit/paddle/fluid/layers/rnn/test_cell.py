"""Cells make their weights at the first step, keep them, and name them as Paddle does."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.param_attr import ParamAttr


def test_weights_are_named_as_in_paddle(variable):
    x, h = variable(np.ones((2, 3))), variable(np.ones((2, 4)))
    gru, lstm, named = L.GRUCell(4), L.LSTMCell(4), L.GRUCell(4, ParamAttr(name="x"))
    gru(x, h), lstm(x, [h, h]), named(x, h)
    assert [p.name for p in gru.gru_unit.parameters()] == [
        f"GRUCell/BasicGRUUnit_0.{end}" for end in ("w_0", "w_1", "b_0", "b_1")
    ]
    assert [p.name for p in lstm.lstm_unit.parameters()] == [
        f"LSTMCell/BasicLSTMUnit_0.{end}" for end in ("w_0", "b_0")
    ]
    assert [p.name for p in named.gru_unit.parameters()][:2] == ["x_gate", "x_candidate"]


def test_the_second_step_uses_the_same_weights(variable):
    cell = L.GRUCell(4)
    x, h = variable(np.ones((2, 3))), variable(np.ones((2, 4)))
    first, state = cell(x, h)
    assert first is state
    weights = cell.gru_unit.parameters()
    again, _ = cell(x, h)
    assert all(p is q for p, q in zip(weights, cell.gru_unit.parameters(), strict=True))
    np.testing.assert_array_equal(first.numpy(), again.numpy())


def test_initial_states_have_the_batch_size(variable):
    x = variable(np.ones((2, 3)))
    assert L.GRUCell(4).get_initial_states(x).shape == [2, 4]
    assert [s.shape for s in L.LSTMCell(4).get_initial_states(x)] == [[2, 4], [2, 4]]
    assert (
        L.GRUCell(4).get_initial_states(x, [5], init_value=1.5).numpy().tolist() == [[1.5] * 5] * 2
    )


def test_a_cell_of_your_own_needs_call_and_state_shape(variable):
    with pytest.raises(NotImplementedError, match="must define call"):
        L.RNNCell()(1, 2)
    with pytest.raises(NotImplementedError, match="must define state_shape"):
        L.RNNCell().get_initial_states(variable([1.0]))
