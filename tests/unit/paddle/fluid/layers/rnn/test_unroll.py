"""A cell over all steps: the numbers are recorded in test_recorded.py, the rules stand here."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.dygraph import no_grad


@pytest.fixture
def x(variable):
    return variable(np.random.RandomState(0).rand(2, 3, 4))


def test_it_is_the_cell_called_step_by_step(x):
    cell = L.LSTMCell(5)
    outputs, states = L.rnn(cell, x)
    by_hand = cell.get_initial_states(x)
    for step in range(3):
        output, by_hand = cell(x[:, step], by_hand)
        np.testing.assert_array_equal(outputs.numpy()[:, step], output.numpy())
    for state, expected in zip(states, by_hand, strict=True):
        np.testing.assert_array_equal(state.numpy(), expected.numpy())


def test_gradients_reach_inputs_and_weights(x):
    cell = L.GRUCell(5)
    outputs, _ = L.rnn(cell, x, sequence_length=None, is_reverse=True)
    L.reduce_sum(outputs).backward()
    assert np.abs(x.gradient()).min() > 0
    assert all(np.abs(p.gradient()).max() > 0 for p in cell.gru_unit.parameters())


def test_nothing_is_recorded_under_no_grad(x):
    with no_grad():
        outputs, state = L.rnn(L.GRUCell(5), x)
    assert outputs.stop_gradient
    assert state.stop_gradient


def test_a_step_behind_the_end_hands_on_no_gradient(variable, x):
    outputs, state = L.rnn(L.GRUCell(5), x, sequence_length=variable([1, 3], "int64"))
    L.reduce_sum(state).backward()
    assert np.abs(x.gradient()[0, 1:]).max() == 0
    assert np.abs(x.gradient()[1]).min() > 0
    assert outputs.shape == [2, 3, 5]


class Growing(L.RNNCell):
    """Returns a state of another shape, or of another structure."""

    def call(self, inputs, states, nest=False):
        return inputs, [states] if nest else L.concat([states, states], 1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"inputs": np.ones((2, 3, 4))}, TypeError, "`inputs` must be Variables"),
        ({"inputs": []}, EnforceNotMet, "received none"),
        ({"sequence_length": 3}, EnforceNotMet, r"of shape \[2\]"),
        ({"cell": Growing(), "nest": True}, ValueError, "nested alike"),
    ],
)
def test_refused(x, variable, options, error, message):
    options = {"inputs": x, "cell": L.GRUCell(4), "initial_states": None} | options
    if isinstance(options["cell"], Growing):
        options["initial_states"] = variable(np.ones((2, 4)))
    with pytest.raises(error, match=message):
        L.rnn(**options)


def test_inputs_without_steps_or_with_other_steps_are_refused(variable, x):
    with pytest.raises(EnforceNotMet, match="the same T above 0"):
        L.rnn(L.GRUCell(4), variable(np.ones(3)))
    with pytest.raises(EnforceNotMet, match="the same T above 0"):
        L.rnn(L.GRUCell(4), [x, variable(np.ones((2, 2, 4)))])


def test_lengths_of_another_batch_are_refused(variable, x):
    with pytest.raises(EnforceNotMet, match=r"received int64 \[3\]"):
        L.rnn(L.GRUCell(4), x, sequence_length=variable([1, 2, 3], "int64"))


def test_a_state_may_not_grow_where_it_must_be_kept(variable, x):
    with pytest.raises(EnforceNotMet, match=r"returned float32 \[2, 8\] for float32 \[2, 4\]"):
        L.rnn(Growing(), x, variable(np.ones((2, 4))), variable([1, 3], "int64"))


def test_a_nan_behind_the_end_does_no_harm(variable):
    class Root(L.RNNCell):
        def call(self, inputs, states):
            new = L.sqrt(inputs) * states
            return new, new

    x = variable([[[4.0], [-1.0]]])
    _, state = L.rnn(Root(), x, variable([[3.0]]), variable([1], "int64"))
    assert state.numpy().tolist() == [[6.0]]
