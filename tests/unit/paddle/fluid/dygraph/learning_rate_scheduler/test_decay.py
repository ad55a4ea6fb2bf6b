"""What all decays share."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx.dtype import VarType
from refluid.paddle.fluid.dygraph.base import guard
from refluid.paddle.fluid.dygraph.learning_rate_scheduler import (
    LearningRateDecay,
    PolynomialDecay,
    StepDecay,
)


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


def test_calling_gives_a_variable_and_counts():
    decay = PolynomialDecay(1.0, 4, 0.2, begin=1, step=2)
    rate = decay()
    assert rate.shape == [1]
    assert rate.dtype == VarType.FP32
    assert rate.stop_gradient
    assert decay.step_num == 3


def test_attributes_are_those_of_paddle():
    names = "cycle decay_steps dtype end_learning_rate learning_rate power step_num step_size"
    assert sorted(vars(PolynomialDecay(1.0, 10))) == names.split()


def test_the_rate_has_the_dtype_asked_for():
    decay = PolynomialDecay(1.0, 3, 0.0, begin=1, dtype="float64")
    assert decay().numpy().tolist() == [1 - 1 / 3]


def test_a_program_may_derive_its_own_decay():
    class Halving(LearningRateDecay):
        def step(self):
            return 0.5**self.step_num

    decay = Halving()
    assert [decay().numpy()[0] for _ in range(3)] == [1, 0.5, 0.25]


def test_the_base_class_has_no_rate():
    with pytest.raises(NotImplementedError):
        LearningRateDecay()()


def test_state_is_the_position():
    decay = PolynomialDecay(1.0, 10)
    decay()
    assert decay.state_dict() == {"step_num": 1}
    other = PolynomialDecay(1.0, 10)
    other.set_dict(decay.state_dict())
    assert other().numpy() == decay().numpy()


def test_set_dict_names_what_is_missing():
    with pytest.raises(RuntimeError, match="'step_num'"):
        PolynomialDecay(1.0, 10).set_dict({"epoch_num": 1})


def test_set_dict_warns_of_what_it_cannot_use():
    with pytest.warns(UserWarning, match="'epoch_num'"):
        PolynomialDecay(1.0, 10).set_dict({"step_num": 1, "epoch_num": 1})


def test_set_dict_is_silent_otherwise():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PolynomialDecay(1.0, 10).set_dict({"step_num": 1})


def test_a_variable_in_the_state_becomes_a_number():
    decay = StepDecay(1.0, 2)
    state = decay.state_dict()
    assert state == {"epoch_num": 0, "learning_rate": 1.0}
    assert type(state["learning_rate"]) is np.float32


def test_counter_of_steps_has_the_name_that_programs_import():
    from refluid.paddle.fluid.layers.learning_rate_scheduler import _decay_step_counter

    with guard():
        count = _decay_step_counter(1)
        assert (count.numpy().tolist(), count.numpy().dtype) == ([1.0], "float32")
