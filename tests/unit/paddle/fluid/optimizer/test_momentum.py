"""Momentum, plain and layer-wise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.optimizer import LarsMomentum, Momentum


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_velocity_keeps_its_share(follow, nesterov, dtype):
    def formula(p, g, state, step):
        v = state["v"] = 0.9 * state.get("v", 0) + g
        return p - 0.1 * (g + 0.9 * v if nesterov else v)

    follow(lambda p: Momentum(0.1, 0.9, p, use_nesterov=nesterov), formula, dtype)


def test_lars_scales_the_rate_by_the_norms(follow):
    def formula(p, g, state, step):
        of_p, of_g = np.sqrt((p * p).sum()), np.sqrt((g * g).sum())
        local = 0.1 * 0.2 * of_p / (of_g + 0.01 * of_p)
        state["v"] = 0.9 * state.get("v", 0) + local * (g + 0.01 * p)
        return p - state["v"]

    follow(lambda p: LarsMomentum(0.1, 0.9, 0.2, 0.01, p), formula)


def test_lars_uses_the_plain_rate_where_a_norm_is_zero(parameter, loss):
    p = parameter(np.zeros(2), grad=[1, 2])
    LarsMomentum(0.5, 0.9, parameter_list=[p]).minimize(loss)
    assert p.numpy().tolist() == [-0.5, -1]


def test_a_sparse_gradient_counts_as_zero_in_the_other_rows(parameter, loss):
    p = parameter(np.ones((3, 1)))
    optimizer = Momentum(1.0, 0.5, [p])
    for rows in ([0, 0], [2]):
        p.grad = torch.sparse_coo_tensor(
            [rows], torch.ones(len(rows), 1), (3, 1), check_invariants=True
        )
        optimizer.minimize(loss)
    assert p.numpy().ravel().tolist() == [1 - 2 - 1, 1, 0]
