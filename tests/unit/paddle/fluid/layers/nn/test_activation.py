"""Softmax as Paddle computes it: no probability becomes 0."""

from __future__ import annotations

import math

import numpy as np

from refluid.paddle.fluid import layers as L


def test_no_probability_is_below_exp_64_of_the_largest(variable):
    x = variable([[0.0, 200.0, 200.0], [1.0, 2.0, 3.0]])
    out = L.softmax(x).numpy()
    np.testing.assert_allclose(out[0, 0], math.exp(-64) / 2, rtol=1e-6)
    np.testing.assert_allclose(out[1], np.exp(x.numpy()[1]) / np.exp(x.numpy()[1]).sum(), 1e-6)


def test_a_loss_behind_far_logits_has_a_gradient(variable):
    x = variable([[0.0, 300.0]])
    loss = L.mean(L.cross_entropy(L.softmax(x), variable([[0]], "int64")))
    loss.backward()
    np.testing.assert_allclose(loss.numpy(), 64.0, rtol=1e-6)
    np.testing.assert_allclose(x.gradient(), [[-1.0, 1.0]], rtol=1e-5)


def test_an_empty_variable_has_an_empty_softmax(variable):
    assert L.softmax(variable(np.ones((0, 3)))).shape == [0, 3]
    assert L.log_softmax(variable(np.ones((0, 3)))).shape == [0, 3]


def test_softmax_is_differentiable_twice(variable):
    from refluid.paddle import fluid

    x = variable([[0.5, -0.5, 1.0]])
    (first,) = fluid.dygraph.grad(L.softmax(x)[0, 0], x, create_graph=True)
    L.reduce_sum(first * first).backward()
    assert np.isfinite(x.gradient()).all()
