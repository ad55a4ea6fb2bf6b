"""Cells make their weights at the first step, keep them, and name them as Paddle does."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.dygraph import no_grad
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


def test_states_may_have_their_own_structure_and_types(variable):
    x = variable(np.ones((2, 3)))
    cell = L.GRUCell(4)
    made = cell.get_initial_states(x, {"a": [5], "b": ([-1, 2, 3], [4])})
    assert made["a"].shape == [2, 5]
    assert [s.shape for s in made["b"]] == [[2, 2, 3], [2, 4]]
    kinds = {"a": "float64", "b": ("float32", "int64")}
    typed = cell.get_initial_states(x, {"a": [5], "b": ([2], [4])}, dtype=kinds)
    assert [typed["a"].dtype, *(s.dtype for s in typed["b"])] == [
        variable(1.0, kind).dtype for kind in ("float64", "float32", "int64")
    ]
    assert cell.get_initial_states(x, batch_dim_idx=1).shape == [3, 4]


def test_a_cell_may_say_the_type_of_its_states(variable):
    class Cell(L.GRUCell):
        @property
        def state_dtype(self):
            return "float64"

    x = variable(np.ones((2, 3)))
    assert Cell(4).get_initial_states(x, dtype=None).numpy().dtype == "float64"
    assert L.GRUCell(4).get_initial_states(x, dtype=None).numpy().dtype == "float32"


@pytest.mark.parametrize("shape", [3, "ab", [], [[3], 2]])
def test_a_shape_that_is_none_is_refused(variable, shape):
    with pytest.raises(TypeError, match="`shape` must be a list or tuple of ints"):
        L.GRUCell(4).get_initial_states(variable(np.ones((2, 3))), shape)


def test_the_size_may_be_a_numpy_integer_but_no_float():
    assert L.GRUCell(np.int64(2)).state_shape == [2]
    with pytest.raises(TypeError, match="`hidden_size` must be an int"):
        L.LSTMCell(2.5)


# --- batches of three steps, states carried on: the numbers are those of Paddle 1.8.5 -------------

LOSSES = {"lstm": [0.28988, 1.02041, 1.6467], "gru": [0.71003, 1.33741, 0.79676]}
# sums of the absolute gradients of each weight, after each batch
GRADIENTS = {
    "lstm": [
        [1.2775719, 2.1516652],
        [4.5090919, 4.2115226],
        [6.1015377, 4.6633854],
    ],
    "gru": [
        [0.3587616, 1.8281863, 0.5435859, 3.3230073],
        [0.4672430, 3.8842924, 0.2012410, 4.3621979],
        [0.3483002, 2.8735168, 0.1478106, 3.9092240],
    ],
}


def values(seed, *shape):
    return (np.random.RandomState(seed).rand(*shape) - 0.5).astype("float32")


@pytest.fixture
def network(variable):
    """Return a function that makes a cell, its weights, first states, and one that runs a batch."""

    def make(kind):
        cell = L.LSTMCell(3) if kind == "lstm" else L.GRUCell(3)
        x = variable(values(0, 2, 4), grad=False)
        states = cell.get_initial_states(x)
        cell(x, states)
        weights = (cell.lstm_unit if kind == "lstm" else cell.gru_unit).parameters()
        for k, weight in enumerate(weights):
            weight.set_value(values(100 + k, *weight.shape))

        def batch(number, states):
            loss = 0.0
            for step in range(3):
                x = variable(values(10 * number + step, 2, 4), grad=False)
                out, states = cell(x, states)
                loss = L.reduce_sum(out * out) + loss
            return loss, states

        return weights, states, batch

    return make


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("how", ["detach", "stop_gradient"])
def test_states_are_carried_from_batch_to_batch(network, kind, how):
    weights, states, batch = network(kind)
    for number in range(3):
        loss, states = batch(number, states)
        loss.backward()
        np.testing.assert_allclose(loss.numpy(), LOSSES[kind][number], 1e-4)
        sums = [np.abs(w.gradient()).sum() for w in weights]
        np.testing.assert_allclose(sums, GRADIENTS[kind][number], 1e-4)
        ends = states if kind == "lstm" else [states]
        if how == "detach":
            ends = [s.detach() for s in ends]
        for end in ends:
            end.stop_gradient = True
        states = ends if kind == "lstm" else ends[0]


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_nothing_is_recorded_under_no_grad(network, kind):
    _, states, batch = network(kind)
    with no_grad():
        for number in range(3):
            loss, states = batch(number, states)
            assert loss.stop_gradient
            np.testing.assert_allclose(loss.numpy(), LOSSES[kind][number], 1e-4)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_states_that_still_belong_to_the_batch_before_are_refused(network, kind):
    _, states, batch = network(kind)
    loss, states = batch(0, states)
    loss.backward()
    loss, _ = batch(1, states)
    with pytest.raises(EnforceNotMet, match="backward"):
        loss.backward()
