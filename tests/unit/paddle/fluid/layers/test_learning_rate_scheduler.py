"""The functions give the objects of `fluid.dygraph`."""

from __future__ import annotations

import pytest

from refluid.paddle.fluid.dygraph import learning_rate_scheduler as dygraph
from refluid.paddle.fluid.dygraph.base import guard
from refluid.paddle.fluid.layers import learning_rate_scheduler as layers

CASES = [
    (layers.noam_decay(64, 10, 2.0), dygraph.NoamDecay(64, 10, learning_rate=2.0)),
    (layers.exponential_decay(0.5, 7, 0.4, True), dygraph.ExponentialDecay(0.5, 7, 0.4, True)),
    (layers.natural_exp_decay(0.5, 7, 0.4, True), dygraph.NaturalExpDecay(0.5, 7, 0.4, True)),
    (layers.inverse_time_decay(0.5, 7, 0.4, True), dygraph.InverseTimeDecay(0.5, 7, 0.4, True)),
    (
        layers.polynomial_decay(0.5, 8, 0.01, 2.0, True),
        dygraph.PolynomialDecay(0.5, 8, 0.01, 2.0, True),
    ),
    (layers.piecewise_decay([3], [0.5, 0.2]), dygraph.PiecewiseDecay([3], [0.5, 0.2], 0)),
    (layers.cosine_decay(0.5, 4, 8), dygraph.CosineDecay(0.5, 4, 8)),
    (layers.linear_lr_warmup(0.5, 5, 0.1, 0.5), dygraph.LinearLrWarmup(0.5, 5, 0.1, 0.5)),
]


@pytest.mark.parametrize(("made", "expected"), CASES, ids=lambda d: type(d).__name__)
def test_arguments_arrive_in_the_object(made, expected):
    assert type(made) is type(expected)
    assert vars(made) == vars(expected)
    with guard():
        assert [made().numpy() for _ in range(9)] == [expected().numpy() for _ in range(9)]


def test_piecewise_needs_one_value_more_than_boundaries():
    with pytest.raises(ValueError, match="2 values and 2 boundaries"):
        layers.piecewise_decay([1, 2], [0.5, 0.1])


def test_cosine_needs_a_float():
    with pytest.raises(TypeError, match="`learning_rate`"):
        layers.cosine_decay(1, 4, 8)
