"""Opening the dynamic graph, and switching recording."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import dygraph


def test_a_guard_that_nobody_keeps_stays_open_until_it_is_left():
    held = dygraph.guard(fluid.CPUPlace())
    before = fluid.default_main_program()
    dygraph.guard(fluid.CPUPlace()).__enter__()
    gc.collect()
    assert fluid.in_dygraph_mode()
    assert dygraph.Linear(3, 2)(dygraph.to_variable(np.ones((1, 3), "float32"))).shape == [1, 2]
    with held:
        assert fluid.in_dygraph_mode()
    assert fluid.in_dygraph_mode()
    dygraph.base._open[-1].__exit__(None, None, None)
    assert not fluid.in_dygraph_mode()
    assert fluid.default_main_program() is before


def test_a_guard_may_be_entered_again_and_decorate_a_function():
    place = dygraph.guard(fluid.CPUPlace())

    @place
    def count(depth: int) -> int:
        assert fluid.in_dygraph_mode()
        return 1 + (count(depth - 1) if depth else 0)

    assert count(3) == 4
    assert not fluid.in_dygraph_mode()


def test_an_error_while_a_guard_opens_leaves_nothing_open(monkeypatch):
    def fail(place):
        raise ValueError("no such place")

    before = fluid.default_main_program()
    monkeypatch.setattr(dygraph.base, "Tracer", fail)
    with pytest.raises(ValueError, match="no such place"), dygraph.guard():
        pass
    assert fluid.default_main_program() is before


def test_recording_is_switched_by_the_name_that_paddles_programs_use():
    with dygraph.guard(fluid.CPUPlace()):
        linear, x = dygraph.Linear(3, 2), dygraph.to_variable(np.ones((1, 3), "float32"))
        with dygraph.base._switch_tracer_mode_guard_(is_train=False):
            assert linear(x).stop_gradient
            with dygraph.base._switch_tracer_mode_guard_():
                assert not linear(x).stop_gradient
        assert not linear(x).stop_gradient


# --- gradients by hand --------------------------------------------------------------------------


def test_a_constant_gradient_can_be_differentiated_too():
    """The penalty of a linear critic is one; the numbers are Paddle 1.8.5's."""
    with dygraph.guard(fluid.CPUPlace()):
        x = dygraph.to_variable(np.ones((2, 2), "float32"))
        x.stop_gradient = False
        y = x + 1
        (gradient,) = dygraph.grad([y], [x], create_graph=True)
        penalty = fluid.layers.reduce_mean(gradient * gradient)
        assert not gradient.stop_gradient
        assert not penalty.stop_gradient
        penalty.backward()
        assert x.gradient() is None
        assert gradient.gradient().tolist() == [[0.5, 0.5], [0.5, 0.5]]
        (fixed,) = dygraph.grad([y], [x])
        assert fixed.stop_gradient


def test_the_start_of_a_gradient_stays_as_it_is():
    with dygraph.guard(fluid.CPUPlace()):
        x, start = (dygraph.to_variable(np.full(2, k, "float32")) for k in (1, 3))
        x.stop_gradient = False
        (gradient,) = dygraph.grad([x], [x], grad_outputs=[start], create_graph=True)
        assert gradient.numpy().tolist() == [3, 3]
        assert start.stop_gradient


@pytest.mark.parametrize("twice", ["inputs", "outputs"])
def test_a_variable_given_twice_is_refused(twice):
    with dygraph.guard(fluid.CPUPlace()):
        x = dygraph.to_variable(np.ones(2, "float32"))
        x.stop_gradient = False
        given = {"inputs": [x], "outputs": [fluid.layers.reduce_sum(x * x)]}
        given[twice] *= 2
        with pytest.raises(fluid.core.EnforceNotMet, match=f"`{twice}` has a Variable twice"):
            dygraph.grad(**given)


def test_a_sparse_gradient_is_returned_as_its_rows():
    with dygraph.guard(fluid.CPUPlace()):
        table = dygraph.Embedding([5, 2], is_sparse=True)
        rows = table(dygraph.to_variable(np.array([[1], [3]])))
        (gradient,) = dygraph.grad([fluid.layers.reduce_sum(rows)], [table.weight])
        assert gradient.type == fluid.core.VarDesc.VarType.SELECTED_ROWS
        dense = fluid.layers.get_tensor_from_selected_rows(gradient)
        assert dense.numpy().tolist() == [[1, 1], [1, 1]]
