"""FTRL-Proximal."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.optimizer import Ftrl


@pytest.mark.parametrize(("l1", "power"), [(0.0, -0.5), (0.05, -0.5), (0.05, -0.4)])
def test_it_follows_the_formula_with_l1_in_place_of_l2(follow, l1, power):
    def formula(p, g, state, step):
        before = state.get("n", np.zeros_like(p))
        after = state["n"] = before + g * g
        change = (after**-power - before**-power) / 0.1
        z = state["z"] = state.get("z", 0) + g - change * p
        shrunk = np.sign(z) * np.maximum(np.abs(z) - l1, 0)
        return -shrunk / (after**-power / 0.1 + 2 * l1)

    follow(lambda p: Ftrl(0.1, l1, 99.0, power, p), formula)


def test_small_parameters_become_positive_zero(parameter, loss):
    p = parameter([0.0, 0.0], grad=[0.5, -0.5])
    Ftrl(0.1, l1=1.0, parameter_list=[p]).minimize(loss)
    assert p.numpy().tobytes() == np.zeros(2, "float32").tobytes()
