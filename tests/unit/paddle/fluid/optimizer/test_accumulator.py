"""What an optimizer remembers: names, saving, going on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.dygraph.learning_rate_scheduler import PolynomialDecay
from refluid.paddle.fluid.optimizer import SGD, Adam, Momentum


@pytest.fixture
def make(parameter):
    """Make an optimizer of one kind for a parameter that is called `fc.w_0`."""

    def build(kind=Momentum, rate=0.1, **kw):
        p = parameter([1.0, 2.0], grad=[1.0, 1.0], name="fc.w_0")
        args = (rate, 0.9) if kind is Momentum else (rate,)
        return kind(*args, parameter_list=[p], **kw), p

    return build


def test_nothing_is_there_before_the_first_step(make):
    optimizer, _ = make()
    assert optimizer.state_dict() == {}
    assert optimizer.get_opti_var_name_list() == []


def test_accumulators_are_called_as_in_paddle(make, loss):
    optimizer, p = make(Adam)
    optimizer.minimize(loss)
    kinds = ("moment1", "moment2", "beta1_pow_acc", "beta2_pow_acc")
    names = [f"fc.w_0_{kind}_0" for kind in kinds]
    assert list(optimizer.state_dict()) == names
    assert optimizer.get_opti_var_name_list() == names
    assert optimizer._accumulators["moment1"][p.name] is optimizer.state_dict()[names[0]]


def test_a_second_optimizer_of_a_parameter_counts_on(make, loss):
    first, p = make()
    second = Momentum(0.1, 0.9, [p])
    first.minimize(loss)
    second.minimize(loss)
    assert list(second.state_dict()) == ["fc.w_0_velocity_1"]


def test_the_optimizers_name_stands_before_the_accumulators(make, loss):
    optimizer, _ = make(name="opt")
    optimizer.minimize(loss)
    assert list(optimizer.state_dict()) == ["fc.w_0_opt_velocity_0"]
    assert list(optimizer._accumulators) == ["opt_velocity"]


def test_accumulators_are_persistable_live_variables(make, loss):
    optimizer, _ = make()
    optimizer.minimize(loss)
    (velocity,) = optimizer.state_dict().values()
    assert velocity.persistable
    assert velocity.stop_gradient
    optimizer.minimize(loss)
    np.testing.assert_allclose(velocity.numpy(), [1.9, 1.9], rtol=1e-6)


def test_accumulators_lie_in_memory_as_their_parameter_does(parameter, loss):
    p = parameter(np.ones((2, 3, 4, 5)), grad=np.ones((2, 3, 4, 5)))
    p.data = p.data.to(memory_format=torch.channels_last)
    optimizer = Adam(0.1, parameter_list=[p])
    optimizer.minimize(loss)
    assert optimizer._accumulators["moment1"][p.name].stride() == p.stride()
    np.testing.assert_allclose(p.numpy(), np.full((2, 3, 4, 5), 0.9), rtol=1e-6)


def saved(optimizer):
    state = optimizer.state_dict()
    return {k: v if k == "LR_Scheduler" else v.numpy() for k, v in state.items()}


@pytest.mark.parametrize("steps_before_loading", [0, 2])
def test_training_goes_on_bit_for_bit_after_set_dict(make, loss, steps_before_loading):
    first, p = make(Adam, PolynomialDecay(0.1, 10))
    for _ in range(3):
        first.minimize(loss)
    state, values = saved(first), p.numpy()
    for _ in range(2):
        first.minimize(loss)
    with unique_name.guard():
        second, q = make(Adam, PolynomialDecay(0.1, 10))
        for _ in range(steps_before_loading):
            second.minimize(loss)
        second.set_dict(state)
        q.set_value(values)
        for _ in range(2):
            second.minimize(loss)
        assert q.numpy().tobytes() == p.numpy().tobytes()
        ours, theirs = saved(second), saved(first)
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[k], theirs[k]) for k in ours)


def test_global_step_is_an_int32_of_shape_1(make, loss):
    optimizer, _ = make(SGD, PolynomialDecay(0.1, 10))
    for _ in range(3):
        optimizer.minimize(loss)
    state = saved(optimizer)
    assert state["LR_Scheduler"] == {"step_num": 3}
    assert state["global_step"].tolist() == [3]
    assert state["global_step"].dtype == np.int32


def test_set_dict_without_the_decays_state_is_a_key_error(make):
    optimizer, _ = make(SGD, PolynomialDecay(0.1, 10))
    with pytest.raises(KeyError):
        optimizer.set_dict({})


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ({}, AssertionError, "no 'global_step'"),
        ({"global_step": np.zeros(2, "int32")}, AssertionError, r"\[1\]"),
        ({"global_step": 3}, RuntimeError, "int"),
    ],
)
def test_set_dict_names_what_is_wrong_with_global_step(make, state, error, message):
    optimizer, _ = make(SGD, PolynomialDecay(0.1, 10))
    with pytest.raises(error, match=message):
        optimizer.set_dict({"LR_Scheduler": {"step_num": 1}, **state})


def test_set_dict_names_an_accumulator_that_is_missing(make, loss):
    optimizer, _ = make()
    optimizer.minimize(loss)
    with pytest.raises(AssertionError, match=r"fc\.w_0_velocity_0"):
        optimizer.set_dict({"something_else": np.zeros(2, "float32")})


@pytest.mark.parametrize(
    "value", [np.zeros(3, "float32"), np.zeros(2, "float64")], ids=["shape", "dtype"]
)
def test_set_dict_refuses_other_shapes_and_types(make, loss, value):
    optimizer, _ = make()
    optimizer.minimize(loss)
    with pytest.raises(AssertionError, match=r"fc\.w_0_velocity_0"):
        optimizer.set_dict({"fc.w_0_velocity_0": value})


def test_set_dict_refuses_what_is_no_array(make, loss):
    optimizer, _ = make()
    optimizer.minimize(loss)
    with pytest.raises(RuntimeError, match="list"):
        optimizer.set_dict({"fc.w_0_velocity_0": [0.0, 0.0]})


def test_state_that_was_given_early_must_have_what_the_first_step_needs(make, loss):
    optimizer, _ = make()
    optimizer.set_dict({"unknown": np.zeros(2, "float32")})
    with pytest.raises(AssertionError, match=r"fc\.w_0_velocity_0"):
        optimizer.minimize(loss)
    optimizer.set_dict({"fc.w_0_velocity_1": np.array([1, 1], "float32")})
    optimizer.minimize(loss)
    assert optimizer.get_opti_var_name_list() == ["fc.w_0_velocity_1"]
