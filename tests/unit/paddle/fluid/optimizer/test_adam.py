"""Adam, Adamax and Lamb as Paddle computes them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.dygraph.base import to_variable
from refluid.paddle.fluid.optimizer import Adam, Adamax, Lamb


def adam_formula(beta1=0.9, beta2=0.999, epsilon=1e-8, rate=0.1):
    def formula(p, g, state, step):
        m = state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
        v = state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g * g
        corrected = rate * np.sqrt(1 - beta2**step) / (1 - beta1**step)
        return p - corrected * m / (np.sqrt(v) + epsilon)

    return formula


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adam_follows_the_formula(follow, dtype):
    follow(lambda p: Adam(0.1, 0.8, 0.95, parameter_list=p), adam_formula(0.8, 0.95), dtype)


def test_adam_adds_epsilon_to_the_root_before_it_is_corrected(follow):
    follow(lambda p: Adam(0.1, epsilon=0.3, parameter_list=p), adam_formula(epsilon=0.3))


def test_adam_takes_betas_as_variables(follow):
    beta = to_variable(np.array([0.8], "float32"))
    follow(lambda p: Adam(0.1, beta, parameter_list=p), adam_formula(0.8))


def test_powers_of_the_betas_are_float32_and_one_ahead(parameter, loss):
    p = parameter([1.0], grad=[1.0])
    optimizer = Adam(0.1, parameter_list=[p])
    optimizer.minimize(loss)
    beta1, beta2 = np.float32(0.9), np.float32(0.999)
    state = {name.split("w_0_")[1]: v for name, v in optimizer.state_dict().items()}
    assert state["beta1_pow_acc_0"].numpy() == beta1 * beta1
    assert state["beta2_pow_acc_0"].numpy() == beta2 * beta2
    assert state["beta1_pow_acc_0"].shape == [1]


def test_values_written_into_the_powers_count_in_the_next_step(parameter, loss):
    p = parameter([1.0], grad=[1.0])
    optimizer = Adam(0.1, parameter_list=[p])
    optimizer.minimize(loss)
    before = p.numpy()
    for name in ("beta1_pow_acc", "beta2_pow_acc"):
        optimizer._accumulators[name][p.name].set_value(np.array([0.5], "float32"))
    optimizer.minimize(loss)
    m, v = 0.9 * 0.1 + 0.1, 0.999 * 0.001 + 0.001
    step = 0.1 * np.sqrt(0.5) / 0.5 * m / np.sqrt(v)
    np.testing.assert_allclose(before - p.numpy(), [step], rtol=1e-5)


def test_parameters_with_different_histories_have_their_own_corrections(parameter, loss):
    early, late = parameter([1.0], grad=[1.0]), parameter([1.0])
    optimizer = Adam(0.1, parameter_list=[early, late])
    optimizer.minimize(loss)
    late.grad = torch.ones(1)
    optimizer.minimize(loss)
    np.testing.assert_allclose(late.numpy(), [0.9], rtol=1e-6)
    np.testing.assert_allclose(early.numpy(), [0.8], rtol=1e-6)


def sparse(rows):
    return torch.sparse_coo_tensor([rows], torch.ones(len(rows), 1), (6, 1), check_invariants=True)


# measured on Paddle 1.8.5: Adam(0.1) on ones, sparse gradients of ones in these rows
ROWS = ([4, 5, 0, 3, 3], [5, 3, 4, 0, 1], [0, 5, 0, 3, 2])
DENSE_IN_EFFECT = [0.7517, 0.8838, 0.9419, 0.7620, 0.7694, 0.7488]


def test_adam_treats_a_sparse_gradient_as_paddle_does(parameter, loss):
    p = parameter(np.ones((6, 1)))
    optimizer = Adam(0.1, parameter_list=[p])
    for rows in ROWS:
        p.grad = sparse(rows)
        optimizer.minimize(loss)
    np.testing.assert_allclose(p.numpy().ravel(), DENSE_IN_EFFECT, atol=6e-5)


def test_lazy_adam_leaves_rows_without_a_gradient_alone(parameter, loss):
    p = parameter(np.ones((6, 1)))
    optimizer = Adam(0.1, parameter_list=[p], lazy_mode=True)
    p.grad = sparse([4, 5, 4])
    optimizer.minimize(loss)
    moved = p.numpy().ravel()
    p.grad = sparse([0])
    optimizer.minimize(loss)
    assert p.numpy().ravel()[1:].tolist() == moved[1:].tolist()
    assert moved[:4].tolist() == [1, 1, 1, 1]
    np.testing.assert_allclose(moved[4:], [0.9256, 0.9256], atol=6e-5)  # Paddle's, as above
    assert p.numpy()[0] < 1


def test_lazy_adam_accepts_a_sparse_gradient_of_no_rows(parameter, loss):
    p = parameter(np.ones((6, 1)))
    p.grad = sparse([])
    Adam(0.1, parameter_list=[p], lazy_mode=True).minimize(loss)
    assert (p.numpy() == 1).all()


@pytest.mark.parametrize("epsilon", [1e-8, 0.3])
def test_adamax_divides_by_the_largest_gradient(follow, epsilon):
    def formula(p, g, state, step):
        m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
        u = state["u"] = np.maximum(np.abs(g), 0.999 * state.get("u", 0) + epsilon)
        return p - 0.1 / (1 - 0.9**step) * m / u

    follow(lambda p: Adamax(0.1, epsilon=epsilon, parameter_list=p), formula)


@pytest.mark.parametrize("excluded", [False, True])
def test_lamb_scales_the_step_by_the_norms_without_any_correction(follow, excluded):
    def formula(p, g, state, step):
        m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
        v = state["v"] = 0.999 * state.get("v", 0) + 0.001 * g * g
        r = m / (np.sqrt(v) + 1e-6) + (0 if excluded else 0.05) * p
        return p - 0.1 * np.sqrt((p * p).sum() / (r * r).sum()) * r

    def make(params):
        return Lamb(
            0.1, 0.05, parameter_list=params, exclude_from_weight_decay_fn=lambda p: excluded
        )

    optimizer = follow(make, formula)
    powers = optimizer._accumulators["beta1_pow_acc"].values()
    assert all(power.numpy() == np.float32(0.9) for power in powers)


def test_lamb_uses_the_plain_step_where_the_norm_is_zero(parameter, loss):
    p = parameter([0.0], grad=[1.0])
    Lamb(0.5, parameter_list=[p]).minimize(loss)
    np.testing.assert_allclose(p.numpy(), [-0.5 * 0.1 / (np.sqrt(0.001) + 1e-6)], rtol=1e-5)
