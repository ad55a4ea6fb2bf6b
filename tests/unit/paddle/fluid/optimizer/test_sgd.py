"""Gradient descent and its private form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.optimizer import SGD, Dpsgd


def test_it_subtracts_the_gradient_times_the_rate(follow):
    follow(lambda p: SGD(0.1, p), lambda p, g, s, t: p - 0.1 * g)


def test_a_sparse_gradient_moves_only_its_rows_and_adds_up_repeated_ones(parameter, loss):
    p = parameter(np.ones((4, 2)))
    p.grad = torch.sparse_coo_tensor([[1, 3, 1]], torch.ones(3, 2), (4, 2), check_invariants=True)
    SGD(0.25, [p]).minimize(loss)
    assert p.numpy().tolist() == [[1, 1], [0.5, 0.5], [1, 1], [0.75, 0.75]]


def test_dpsgd_without_noise_limits_the_norm_of_each_gradient(follow):
    def formula(p, g, state, step):
        return p - 0.1 * g / max(np.sqrt((g * g).sum()) / 0.5, 1.0)

    follow(lambda p: Dpsgd(0.1, 0.5, 16.0, 0.0, p), formula)


# measured on Paddle 1.8.5: 1 - 0.1*d, d - clipped gradient = sigma/batch_size times these
@pytest.mark.parametrize(("seed", "noise"), [(5, -0.199437), (7, -0.748224), (123, -0.092540)])
def test_noise_of_dpsgd_is_paddles_for_a_given_seed(parameter, loss, seed, noise):
    p = parameter(np.ones((2, 2)), grad=np.zeros((2, 2)))
    optimizer = Dpsgd(0.1, clip=0.5, batch_size=4.0, sigma=2.0, parameter_list=[p])
    optimizer._seed = seed
    optimizer.minimize(loss)
    np.testing.assert_allclose((1 - p.numpy()) / 0.1 * 4 / 2, np.full((2, 2), noise), atol=1e-5)


def test_noise_of_dpsgd_follows_torchs_seed_and_differs_from_step_to_step(parameter, loss):
    def run():
        torch.manual_seed(3)
        p = parameter(np.zeros(2), grad=np.zeros(2))
        optimizer = Dpsgd(0.1, sigma=1.0, parameter_list=[p])
        seen = []
        for _ in range(2):
            optimizer.minimize(loss)
            seen.append(p.numpy()[0])
        return seen

    first = run()
    assert first == run()
    assert first[1] != 2 * first[0]
