"""Steps of recurrent networks as Layers: names and numbers are those of Paddle 1.8.5."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.contrib import layers as contributed


def values(seed, *shape):
    return (np.random.RandomState(seed).rand(*shape) - 0.5).astype("float32")


@pytest.fixture(autouse=True)
def graph():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield


def step(unit):
    """Return the results of a unit with given weights for given inputs."""
    inputs = [fluid.dygraph.to_variable(values(seed, 2, 3)) for seed in range(3)]
    inputs = inputs[: 2 if isinstance(unit, contributed.BasicGRUUnit) else 3]
    unit(*inputs)  # makes the weights
    for k, weight in enumerate(unit.parameters()):
        weight.set_value(values(10 + k, *weight.shape))
    found = unit(*inputs)
    return [v.numpy() for v in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize(
    ("activations", "expected"),
    [
        ((None, None), [[0.0837, 0.0071, -0.1831], [-0.0871, -0.3093, -0.0347]]),
        ((L.tanh, L.relu), [[0.2874, -0.0381, -0.1475], [0.1141, 0.1120, 0.0686]]),
    ],
)
def test_gated_recurrent_unit(activations, expected):
    unit = contributed.BasicGRUUnit("g", 3, None, None, *activations)
    np.testing.assert_allclose(step(unit), [expected], 0, 1e-4)
    names = [f"g/BasicGRUUnit_0.{end}" for end in ("w_0", "w_1", "b_0", "b_1")]
    assert [p.name for p in unit.parameters()] == names
    assert list(unit.state_dict()) == [
        "_gate_weight", "_candidate_weight", "_gate_bias", "_candidate_bias"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"gate_activation": L.relu, "activation": L.relu},
            [
                [[0.0002, -0.1699, -0.0025], [0.0506, -0.0339, -0.0299]],
                [[0.0003, -0.2814, -0.0063], [0.0929, -0.0590, -0.0733]],
            ],
        ),
        (
            {"forget_bias": 0.0},
            [
                [[0.0081, -0.1093, -0.0061], [0.0590, -0.0230, -0.0159]],
                [[0.0156, -0.1782, -0.0151], [0.1084, -0.0400, -0.0389]],
            ],
        ),
    ],
)
def test_long_short_term_memory_whose_activations_have_no_effect(options, expected):
    unit = contributed.BasicLSTMUnit("l", 3, **options)
    np.testing.assert_allclose(step(unit), expected, 0, 1e-4)
    assert [p.name for p in unit.parameters()] == [f"l/BasicLSTMUnit_0.{e}" for e in ("w_0", "b_0")]
    assert list(unit.state_dict()) == ["_weight", "_bias"]


def test_a_given_name_is_the_beginning_of_both_weights_names():
    unit = contributed.BasicGRUUnit("g", 3, fluid.ParamAttr(name="q"), fluid.ParamAttr(name="b"))
    step(unit)
    names = [p.name for p in unit.parameters()]
    assert names == ["q_gate", "q_candidate", "b_gate", "b_candidate"]
