"""The backward pass follows Paddle's rules."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.core_avx import EnforceNotMet, tracer
from refluid.paddle.fluid.dygraph.base import grad, guard, no_grad, to_variable
from refluid.paddle.fluid.dygraph.nn import Linear


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


def leaf(*values: float):
    v = to_variable(np.array(values, "float32"))
    v.stop_gradient = False
    return v


def test_each_backward_replaces_gradients():
    x = leaf(1, 2)
    for k in (1.0, 2.0, 5.0):
        (x * k).backward()
    assert x.gradient().tolist() == [5, 5]


def test_leaves_that_are_not_reached_keep_theirs():
    x, y = leaf(1), leaf(2)
    (x * 3.0).backward()
    (y * 4.0).backward()
    assert x.gradient().tolist() == [3]
    assert y.gradient().tolist() == [4]


def test_contributions_within_one_graph_add_up():
    x = leaf(1)
    (x * 3.0 + x * 4.0).backward()
    assert x.gradient().tolist() == [7]


def test_gradient_is_none_then_zeros():
    x = leaf(1, 2)
    assert x.gradient() is None
    x.clear_gradient()
    assert x.gradient() is None
    (x * x).backward()
    x.clear_gradient()
    assert x.gradient().tolist() == [0, 0]


def test_intermediate_variables_keep_their_gradient():
    x = leaf(1, 2)
    y = x * 3.0
    z = y * y
    z.backward()
    assert y.gradient().tolist() == [6, 12]
    assert z.gradient().tolist() == [1, 1]


def test_a_graph_runs_backward_twice_only_if_retained():
    x = leaf(3)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.gradient().tolist() == [6]
    y.backward()  # freed: nothing happens
    assert x.gradient().tolist() == [6]
    with pytest.raises(EnforceNotMet, match="retain_graph"):
        (y * 2.0 + y * y).backward()


def test_stop_gradient_ends_the_graph_at_a_result():
    x = leaf(2)
    y = x * 3.0
    y.stop_gradient = True
    z = y * x
    z.backward()
    assert x.gradient().tolist() == [6]
    assert y.gradient() is None
    y.stop_gradient = False
    (y * x).backward()
    assert x.gradient().tolist() == [12]


def test_what_needs_no_gradient_is_passed_over():
    x = leaf(1)
    x.backward()
    assert x.gradient() is None
    (to_variable(np.ones(1)) * 2.0).backward()


def test_eval_of_any_layer_stops_recording_everywhere():
    a, b = Linear(1, 1), Linear(1, 1)
    x = to_variable(np.ones((1, 1), "float32"))
    a.eval()
    assert b(x).stop_gradient
    b.train()
    assert not b(x).stop_gradient
    assert not a.training


def test_recording_is_put_back_after_the_guard():
    with guard():
        Linear(1, 1).eval()
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


def test_no_grad_ends_with_an_error_too():
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert torch.is_grad_enabled()


def test_an_update_between_forward_and_backward_is_allowed():
    """Programs that train two networks do this; Paddle uses the new values."""
    layer = Linear(2, 1)
    x = to_variable(np.ones((1, 2), "float32"))
    y = layer(layer(x) * x)
    layer.weight.set_value(np.full((2, 1), 2, "float32"))
    y.backward()
    assert layer.weight.gradient() is not None


def test_native_parameters_in_a_graph_accumulate_as_in_torch():
    w = torch.nn.Parameter(torch.ones(1))
    for _ in range(2):
        to_variable(np.ones(1, "float32")).__mul__(w).backward()
    assert w.grad.tolist() == [2]


def test_grad_leaves_gradients_alone():
    x, unused = leaf(1, 2), leaf(1)
    assert grad(x * x, x)[0].numpy().tolist() == [2, 4]
    assert x.gradient() is None
    found = grad(x * x, [x, unused], allow_unused=True)
    assert found[1] is None
    with pytest.raises(EnforceNotMet, match="unused"):
        grad(x * x, [unused])
    with pytest.raises(AssertionError, match="`inputs` must not be empty"):
        grad(x, [])
    blocked = x * 2.0
    assert grad(blocked * x, x, no_grad_vars=[blocked])[0].numpy().tolist() == [2, 4]


def test_noted_results_do_not_pile_up():
    x = leaf(1)
    losses = []
    for _ in range(50):
        y = x * 2.0
        y.backward()
        losses.append(y)
    gc.collect()
    assert len(tracer._results.alive()) == 0
    for _ in range(5000):
        _ = x * 2.0
    assert len(tracer._results._refs) <= 1025
