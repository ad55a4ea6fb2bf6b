"""The decay that watches the loss."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.dygraph.base import guard, to_variable
from refluid.paddle.fluid.dygraph.learning_rate_scheduler import ReduceLROnPlateau


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


def variable(*values):
    return to_variable(np.array(values, "float32"))


def follow(losses, **options):
    decay = ReduceLROnPlateau(1.0, decay_rate=0.5, **options)
    seen = []
    for loss in losses:
        decay.step(variable(loss))
        seen.append(decay().numpy()[0])
    return seen


def test_the_rate_falls_after_too_many_epochs_without_improvement():
    assert follow([3, 2, 2, 2, 2, 2, 2], patience=2) == [1, 1, 1, 1, 0.5, 0.5, 0.5]


def test_a_cooldown_is_not_counted():
    assert follow([2, 2, 2, 2, 2, 2], patience=0, cooldown=2) == [1, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_max_mode_wants_the_loss_to_grow():
    assert follow([1, 2, 3, 3], patience=0, mode="MAX") == [1, 1, 1, 0.5]


@pytest.mark.parametrize(("mode", "rates"), [("rel", [1, 0.5, 0.5]), ("abs", [1, 1, 0.5])])
def test_an_improvement_must_exceed_the_threshold(mode, rates):
    # from 10: 8 is better by 2, which is more than 1 but less than 10 * 0.25
    threshold = 0.25 if mode == "rel" else 1.0
    assert follow([10, 8, 7.4], patience=0, threshold=threshold, threshold_mode=mode) == rates


def test_the_rate_stops_at_its_smallest():
    assert follow([1, 1, 1, 1], patience=0, min_lr=0.3) == [
        1,
        0.5,
        np.float32(0.3),
        np.float32(0.3),
    ]


def test_a_reduction_below_eps_is_not_made():
    assert follow([1, 1, 1], patience=0, eps=0.3) == [1, 0.5, 0.5]


def test_verbose_tells_of_a_reduction(capsys):
    follow([1, 1], patience=0, verbose=True)
    assert capsys.readouterr().out == "epoch 2: learning rate 1.0 -> 0.5\n"


def test_state_goes_over_to_another_object():
    options = {"decay_rate": 0.5, "patience": 1}
    first, second = ReduceLROnPlateau(1.0, **options), ReduceLROnPlateau(1.0, **options)
    assert first.state_dict()["best_loss"] is None
    for loss in (3, 2, 2):
        first.step(variable(loss))
    state = first.state_dict()
    assert state == {
        "cooldown_counter": 0,
        "best_loss": 2.0,
        "num_bad_epochs": 1,
        "epoch_num": 3,
        "learning_rate": 1.0,
    }
    second.set_dict(state)
    for decay in (first, second):
        decay.step(variable(2))
    assert first().numpy() == second().numpy() == 0.5


def test_the_first_rate_may_be_a_variable():
    decay = ReduceLROnPlateau(variable(0.25))
    assert decay().numpy() == 0.25


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mode": "least"}, ValueError, "`mode`"),
        ({"threshold_mode": "none"}, ValueError, "`threshold_mode`"),
        ({"decay_rate": 1.0}, ValueError, "`decay_rate`"),
        ({"learning_rate": "1"}, TypeError, "`learning_rate`"),
    ],
)
def test_bad_arguments_are_named(options, error, message):
    with pytest.raises(error, match=message):
        ReduceLROnPlateau(**{"learning_rate": 1.0, **options})


def test_the_loss_must_be_a_variable_of_one_element():
    decay = ReduceLROnPlateau(1.0)
    with pytest.raises(TypeError, match="`loss`"):
        decay.step(1.0)
    with pytest.raises(AssertionError, match=r"\[2\]"):
        decay.step(variable(1, 2))
