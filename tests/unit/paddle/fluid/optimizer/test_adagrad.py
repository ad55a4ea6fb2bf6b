"""The optimizers that divide by a root of squares."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.optimizer import Adadelta, Adagrad, DecayedAdagrad, RMSProp


@pytest.mark.parametrize("initial", [0.0, 0.3])
def test_adagrad_sums_squares(follow, initial):
    def formula(p, g, state, step):
        state["m"] = state.get("m", initial) + g * g
        return p - 0.1 * g / (np.sqrt(state["m"]) + 1e-3)

    follow(
        lambda p: Adagrad(0.1, 1e-3, parameter_list=p, initial_accumulator_value=initial), formula
    )


def test_decayed_adagrad_averages_squares(follow):
    def formula(p, g, state, step):
        state["m"] = 0.8 * state.get("m", 0) + 0.2 * g * g
        return p - 0.1 * g / (np.sqrt(state["m"]) + 1e-3)

    follow(lambda p: DecayedAdagrad(0.1, 0.8, 1e-3, parameter_list=p), formula)


@pytest.mark.parametrize("rate", [0.1, 50.0])
def test_adadelta_ignores_the_rate_and_steps_with_the_updated_average(follow, rate):
    def formula(p, g, state, step):
        s = state["s"] = 0.9 * state.get("s", 0) + 0.1 * g * g
        d = np.sqrt((state.get("u", 0) + 1e-4) / (s + 1e-4)) * g
        u = state["u"] = 0.9 * state.get("u", 0) + 0.1 * d * d
        return p - np.sqrt((u + 1e-4) / (s + 1e-4)) * g

    follow(lambda p: Adadelta(rate, 1e-4, 0.9, parameter_list=p), formula)


@pytest.mark.parametrize(("momentum", "centered"), [(0.0, False), (0.5, False), (0.5, True)])
def test_rmsprop_has_epsilon_inside_the_root_and_the_rate_inside_the_momentum(
    follow, momentum, centered
):
    def formula(p, g, state, step):
        s = state["s"] = 0.9 * state.get("s", 0) + 0.1 * g * g
        m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
        root = np.sqrt(s - m * m + 0.1 if centered else s + 0.1)
        state["u"] = momentum * state.get("u", 0) + 0.05 * g / root
        return p - state["u"]

    follow(lambda p: RMSProp(0.05, 0.9, 0.1, momentum, centered, p), formula)


def test_rmsprop_keeps_all_three_accumulators_even_if_not_centered(follow):
    optimizer = follow(lambda p: RMSProp(0.05, parameter_list=p), _plain_rmsprop)
    names = {name.rsplit(".", 1)[1] for name in optimizer.state_dict()}
    assert names == {f"w_0_{kind}_0" for kind in ("momentum", "mean_square", "mean_grad")}


def _plain_rmsprop(p, g, state, step):
    state["s"] = 0.95 * state.get("s", 0) + 0.05 * g * g
    return p - 0.05 * g / np.sqrt(state["s"] + 1e-6)
