"""Activations by name, their values at the places that matter, and PRelu."""

from __future__ import annotations

import math

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator
from refluid.paddle.fluid.core_avx.ops.activation import ACTIVATIONS, activate, check_act, prelu

# name: {x: (value, slope)}, the slopes at the bounds as Paddle 1.8.5 gives them
EXPECTED = {
    "relu": {-1: (0, 0), 0: (0, 0), 2: (2, 1)},
    "relu6": {0: (0, 0), 2: (2, 1), 6: (6, 0), 7: (6, 0)},
    "leaky_relu": {-1: (-0.02, 0.02), 0: (0, 0.02), 2: (2, 1)},
    "brelu": {0: (0, 0), 3: (3, 1), 25: (24, 0)},
    "hard_sigmoid": {-2.5: (0, 0), 0: (0.5, 0.2), 2.5: (1, 0)},
    "hard_swish": {-3: (0, 0), 0: (0, 0.5), 3: (3, 1)},
    "elu": {-1: (math.expm1(-1), math.exp(-1)), 2: (2, 1)},
    "soft_relu": {0: (math.log(2), 0.5)},
    "softplus": {0: (math.log(2), 0.5)},
    "swish": {0: (0, 0.5)},
    "stanh": {0: (0, 1.7159 * 0.67)},
    "softshrink": {-1: (-0.5, 1), 0.4: (0, 0)},
    "hard_shrink": {-1: (-1, 1), 0.4: (0, 0)},
    "thresholded_relu": {1: (0, 0), 2: (2, 1)},
    "abs": {-2: (2, -1), 0: (0, 0)},
    "square": {-2: (4, -4)},
    "round": {0.5: (1, 0), -0.5: (-1, 0), 1.4: (1, 0)},
}


@operator("test_activate", x=FLOAT)
def activated(x, act, fresh=False):
    return activate(x * 1.0, act, fresh=fresh)


@pytest.mark.parametrize("act", EXPECTED)
def test_values_and_slopes(variable, act):
    x = variable(list(EXPECTED[act]), "float32")
    out = activated(x, act)
    out.backward()
    values, slopes = zip(*EXPECTED[act].values(), strict=True)
    np.testing.assert_allclose(out.numpy(), values, 1e-5, 1e-6)
    np.testing.assert_allclose(x.gradient(), slopes, 1e-5, 1e-6)


@pytest.mark.parametrize("act", ACTIVATIONS)
def test_overwriting_a_fresh_input_changes_no_result(numbers, variable, act):
    results = []
    for fresh in (False, True):
        x = variable(numbers(1, 3, 4) * 0.4 + 0.5)
        out = activated(x, act, fresh)
        out.backward()
        results.append((out.numpy(), x.gradient()))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_none_and_names_are_let_through():
    assert check_act(None) is None
    assert check_act("relu") == "relu"


def test_a_function_or_unknown_name_is_refused():
    with pytest.raises(TypeError, match="`act` must be the name of an activation"):
        check_act(np.tanh)
    with pytest.raises(ValueError, match=r"`act` must be one of .*relu.*'rellu'"):
        check_act("rellu")


@pytest.mark.parametrize(
    ("mode", "shape"), [("all", (1,)), ("channel", (1, 4, 1, 1)), ("element", (1, 4, 2, 3))]
)
def test_prelu_multiplies_what_is_below_zero(numbers, variable, mode, shape):
    x, weight = numbers(1, 2, 4, 2, 3), numbers(2, *shape)
    v, w = variable(x), variable(weight)
    out = prelu(v, w, mode)
    out.backward()
    np.testing.assert_allclose(out.numpy(), np.where(x > 0, x, x * weight), 1e-6)
    np.testing.assert_allclose(v.gradient(), np.where(x > 0, 1, weight) * np.ones_like(x), 1e-6)
    assert w.gradient().shape == shape
    np.testing.assert_allclose(w.gradient().sum(), np.minimum(x, 0).sum(), 1e-5)


@pytest.mark.parametrize(
    ("mode", "count", "message"),
    [
        ("all", 2, "`weight` must have 1 element"),
        ("channel", 3, r"`input` must have 3 channels.*\[2, 4, 2, 3\]"),
        ("element", 23, r"a sample of `input` must have 23 elements.*\[2, 4, 2, 3\]"),
    ],
)
def test_prelu_refuses_a_weight_that_does_not_fit(numbers, variable, mode, count, message):
    with pytest.raises(EnforceNotMet, match=message):
        prelu(variable(numbers(1, 2, 4, 2, 3)), variable(numbers(2, count)), mode)
