"""Decays that advance with `epoch()`."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.dygraph.base import guard
from refluid.paddle.fluid.dygraph.learning_rate_scheduler import (
    LambdaDecay,
    MultiStepDecay,
    StepDecay,
)


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


def by_epoch(decay, count=6):
    seen = []
    for _ in range(count):
        assert decay().numpy() == decay().numpy()
        seen.append(decay().numpy()[0])
        decay.epoch()
    return seen


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: StepDecay(0.5, 2, 0.5), [0.5, 0.5, 0.25, 0.25, 0.125, 0.125]),
        (lambda: MultiStepDecay(0.5, [1, 4], 0.5), [0.5, 0.25, 0.25, 0.25, 0.125, 0.125]),
        (lambda: LambdaDecay(0.5, lambda e: 1 / (1 + e)), 0.5 / np.arange(1, 7)),
    ],
    ids=["step", "multistep", "lambda"],
)
def test_the_rate_of_each_epoch(make, expected):
    np.testing.assert_allclose(by_epoch(make()), expected, rtol=1e-6)


def test_an_epoch_may_be_given():
    decay = StepDecay(0.5, 2, 0.5)
    decay.epoch(5)
    assert decay.epoch_num == 5
    assert decay().numpy() == 0.125


@pytest.mark.parametrize("make", [lambda: StepDecay(0.5, 2), lambda: LambdaDecay(0.5, lambda e: 1)])
def test_state_goes_over_to_another_object(make):
    decay, other = make(), make()
    decay.epoch(7)
    other.set_dict(decay.state_dict())
    assert other.epoch_num == 7
    assert other().numpy() == decay().numpy()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: StepDecay("1", 2), TypeError, "`learning_rate`"),
        (lambda: StepDecay(-1.0, 2), ValueError, "`learning_rate`"),
        (lambda: StepDecay(1.0, 2.0), TypeError, "`step_size`"),
        (lambda: StepDecay(1.0, 2, 1.0), ValueError, "`decay_rate`"),
        (lambda: MultiStepDecay(1.0, 3), TypeError, "`milestones`"),
        (lambda: MultiStepDecay(1.0, [3, 3]), ValueError, "`milestones`"),
        (lambda: MultiStepDecay(1.0, [3], 2.0), ValueError, "`decay_rate`"),
        (lambda: LambdaDecay(1.0, 3), TypeError, "`lr_lambda`"),
    ],
)
def test_bad_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
