"""Decays that advance at every step give Paddle's rates.

The expected rates were recorded with PaddlePaddle 1.8.5 (CPU): the first ones of each decay.
"""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.dygraph import learning_rate_scheduler as d
from refluid.paddle.fluid.dygraph.base import guard


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


def rates(decay, count):
    return np.array([decay().numpy()[0] for _ in range(count)])


RECORDED = {
    "piecewise": (
        lambda: d.PiecewiseDecay([2, 5], [0.5, 0.2, 0.1], 0),
        [0.5, 0.5, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1],
    ),
    "natural exp": (
        lambda: d.NaturalExpDecay(0.5, 3, 0.4),
        [0.5, 0.43758667, 0.38296416, 0.33516002, 0.2933231, 0.25670856, 0.22466448, 0.19662036],
    ),
    "natural exp, staircase": (
        lambda: d.NaturalExpDecay(0.5, 3, 0.4, True),
        [0.5, 0.5, 0.5, 0.33516002, 0.33516002, 0.33516002, 0.22466448, 0.22466448],
    ),
    "exponential": (
        lambda: d.ExponentialDecay(0.5, 3, 0.4),
        [0.5, 0.36840314, 0.27144176, 0.2, 0.14736126, 0.10857671, 0.080000006, 0.058944512],
    ),
    "exponential, staircase": (
        lambda: d.ExponentialDecay(0.5, 3, 0.4, staircase=True),
        [0.5, 0.5, 0.5, 0.2, 0.2, 0.2, 0.080000006, 0.080000006],
    ),
    "inverse time": (
        lambda: d.InverseTimeDecay(0.5, 3, 0.4),
        [0.5, 0.44117647, 0.39473686, 0.35714287, 0.32608697, 0.29999998, 0.27777779, 0.25862068],
    ),
    "inverse time, staircase": (
        lambda: d.InverseTimeDecay(0.5, 3, 0.4, staircase=True),
        [0.5, 0.5, 0.5, 0.35714287, 0.35714287, 0.35714287, 0.27777779, 0.27777779],
    ),
    "polynomial": (
        lambda: d.PolynomialDecay(0.5, 5, 0.01, power=2.0),
        [
            0.5,
            0.32360002,
            0.18640001,
            0.088399991,
            0.029599998,
            0.0099999998,
            0.0099999998,
            0.0099999998,
        ],
    ),
    "polynomial, cycle": (
        lambda: d.PolynomialDecay(0.5, 3, 0.01, cycle=True),
        [
            0.5,
            0.33666664,
            0.17333333,
            0.0099999998,
            0.17333333,
            0.091666676,
            0.0099999998,
            0.11888888,
        ],
    ),
    "polynomial, begin and step": (
        lambda: d.PolynomialDecay(0.5, 20, 0.01, begin=4, step=3),
        [0.40200001, 0.32849997, 0.255, 0.18149999, 0.108, 0.034500007, 0.0099999998, 0.0099999998],
    ),
    "cosine": (
        lambda: d.CosineDecay(0.5, 2, 4),
        [0.5, 0.5, 0.42677671, 0.42677671, 0.24999999, 0.24999999, 0.073223308, 0.073223308],
    ),
    "noam": (
        lambda: d.NoamDecay(64, 3, learning_rate=2.0),
        [
            0.048112523,
            0.096225046,
            0.14433756,
            0.125,
            0.1118034,
            0.10206208,
            0.094491117,
            0.088388346,
        ],
    ),
    "warmup": (
        lambda: d.LinearLrWarmup(d.PolynomialDecay(0.5, 20, 0.01), 4, 0.0, 0.5),
        [0.125, 0.25, 0.375, 0.42650002, 0.40200001, 0.3775, 0.35299999, 0.32849997],
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_rates_are_paddles(name):
    make, expected = RECORDED[name]
    np.testing.assert_allclose(rates(make(), len(expected)), expected, rtol=3e-7)


def test_polynomial_reaches_its_end_and_stays():
    seen = rates(d.PolynomialDecay(1.0, 4, 0.25), 7)
    np.testing.assert_allclose(seen[:4], [1, 0.8125, 0.625, 0.4375], rtol=1e-6)
    assert seen[4:].tolist() == [0.25] * 3


def test_cosine_is_constant_within_an_epoch():
    seen = rates(d.CosineDecay(1.0, 3, 4), 6)
    assert seen[:3].tolist() == [1, 1, 1]
    assert len(set(seen[3:].tolist())) == 1


def test_noam_divides_by_zero_if_it_begins_at_zero():
    with pytest.raises(ZeroDivisionError):
        d.NoamDecay(64, 10, begin=0)()


def test_warmup_starts_at_zero_whatever_start_lr_is():
    np.testing.assert_allclose(
        rates(d.LinearLrWarmup(1.0, 4, 0.5, 1.0), 5), [0.125, 0.25, 0.375, 1, 1], rtol=1e-6
    )


def test_warmup_takes_a_whole_number_as_rate():
    assert rates(d.LinearLrWarmup(1, 2, 0.5, 1.0), 2).tolist() == [0.25, 1]


def test_an_inner_decay_advances_during_the_warmup():
    inner = d.PolynomialDecay(1.0, 10, 0.0)
    seen = rates(d.LinearLrWarmup(inner, 3, 0.0, 1.0), 4)
    assert inner.step_num == 4
    np.testing.assert_allclose(seen[2:], [0.8, 0.7], rtol=1e-6)


def test_an_inner_decay_goes_on_where_it_was():
    def make():
        return d.LinearLrWarmup(d.PolynomialDecay(1.0, 20, 0.0, begin=2, step=3), 3, 0.0, 1.0)

    straight = make()
    rates(straight, 5)
    resumed = make()
    resumed.set_dict(straight.state_dict())
    assert rates(resumed, 3).tolist() == rates(straight, 3).tolist()


def test_warmup_refuses_a_rate_that_is_no_number():
    with pytest.raises(TypeError, match="`learning_rate`"):
        d.LinearLrWarmup("0.1", 4, 0.0, 1.0)


def test_warmup_must_go_up():
    with pytest.raises(AssertionError, match="`end_lr`"):
        d.LinearLrWarmup(0.1, 4, 1.0, 0.5)
