"""A step of a gated recurrent unit, by its formula."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.ops.recurrent import gru_unit

D = 3


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("origin_mode", [False, True])
@pytest.mark.parametrize("with_bias", [False, True])
def test_one_step(numbers, variable, origin_mode, with_bias):
    x, h, weight = numbers(1, 2, 3 * D), numbers(2, 2, D), numbers(3, D, 3 * D)
    bias = numbers(4, 1, 3 * D) if with_bias else None
    gate, reset_hidden, new = gru_unit(
        variable(x), variable(h), variable(weight), None if bias is None else variable(bias),
        2, 1, origin_mode,
    )  # fmt: skip
    x = x if bias is None else x + bias
    memory = weight.reshape(-1)
    for_gates, for_state = memory[: 2 * D * D].reshape(D, -1), memory[2 * D * D :].reshape(D, D)
    u, r = np.split(sigmoid(x[:, : 2 * D] + h @ for_gates), 2, 1)
    c = np.tanh(x[:, 2 * D :] + (r * h) @ for_state)
    expected = u * h + (1 - u) * c if origin_mode else (1 - u) * h + u * c
    np.testing.assert_allclose(new.numpy(), expected, 1e-5, 1e-6)
    np.testing.assert_allclose(reset_hidden.numpy(), r * h, 1e-5, 1e-6)
    np.testing.assert_allclose(gate.numpy(), np.concatenate([u, r, c], 1), 1e-5, 1e-6)


def test_gradients_flow_from_the_new_state_only(numbers, variable):
    h = variable(numbers(2, 2, D))
    weight = variable(numbers(3, D, 3 * D))
    gate, reset_hidden, new = gru_unit(variable(numbers(1, 2, 3 * D)), h, weight, None)
    assert gate.stop_gradient
    assert reset_hidden.stop_gradient
    new.backward()
    assert np.abs(h.gradient()).min() > 0


def test_what_does_not_fit_is_refused_by_name(numbers, variable):
    weight = variable(numbers(3, D, 3 * D))
    with pytest.raises(EnforceNotMet, match=r"`input` must have shape \[batch, 9\]"):
        gru_unit(variable(numbers(1, 2, 8)), variable(numbers(2, 2, D)), weight, None)
    with pytest.raises(EnforceNotMet, match=r"`hidden` must have shape \[2, 3\]"):
        gru_unit(variable(numbers(1, 2, 9)), variable(numbers(2, 2, 4)), weight, None)
