"""What `minimize` does, for every optimizer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.clip import GradientClipByValue
from refluid.paddle.fluid.core_avx.tracer import use_tracer
from refluid.paddle.fluid.dygraph.base import guard, to_variable
from refluid.paddle.fluid.dygraph.learning_rate_scheduler import (
    PiecewiseDecay,
    PolynomialDecay,
    ReduceLROnPlateau,
    StepDecay,
)
from refluid.paddle.fluid.dygraph.nn import Linear
from refluid.paddle.fluid.optimizer import SGD, Adam, AdamOptimizer, Optimizer, SGDOptimizer
from refluid.paddle.fluid.regularizer import L2Decay


def test_both_names_mean_one_class():
    assert SGD is SGDOptimizer
    assert Adam is AdamOptimizer


@pytest.mark.parametrize("rate", [1, np.float32(0.1), "0.1", None, to_variable])
def test_the_rate_must_be_a_float_or_a_decay(parameter, rate):
    with pytest.raises(TypeError, match="`learning_rate`"):
        SGD(rate, [parameter([1.0])])


def test_float64_of_numpy_is_a_float(parameter, loss):
    p = parameter([1.0], grad=[1.0])
    SGD(np.float64(0.5), [p]).minimize(loss)
    assert p.numpy() == 0.5


def test_parameters_must_be_given():
    with pytest.raises(AttributeError, match=r"`parameter_list`.*model\.parameters\(\)"):
        SGD(0.1)


def test_outside_of_a_guard_parameters_are_missed_only_when_needed(parameter, loss):
    with use_tracer(None):
        optimizer = SGD(0.1)
    with pytest.raises(AttributeError, match=r"`parameter_list`.*model\.parameters\(\)"):
        optimizer.minimize(loss)


@pytest.mark.parametrize("wrong", [lambda p: p, lambda p: 3, lambda p: [p, "w"], lambda p: [p + 1]])
def test_parameter_list_must_hold_parameters(parameter, wrong):
    with pytest.raises(TypeError, match="`parameter_list"):
        SGD(0.1, wrong(parameter([1.0])))


def test_a_generator_of_parameters_serves_every_step(parameter, loss):
    p = parameter([1.0], grad=[0.25])
    optimizer = SGD(1.0, (q for q in [p]))
    optimizer.minimize(loss)
    optimizer.minimize(loss)
    assert p.numpy() == 0.5


def test_a_list_of_parameters_may_grow_later(parameter, loss):
    params = []
    optimizer = SGD(1.0, params)
    params.append(parameter([1.0], grad=[0.25]))
    optimizer.minimize(loss)
    assert params[0].numpy() == 0.75


def test_grad_clip_must_be_a_clip(parameter):
    with pytest.raises(TypeError, match="`grad_clip`"):
        SGD(0.1, [parameter([1.0])], grad_clip=3)


def test_loss_must_be_a_variable(parameter):
    with pytest.raises(AssertionError, match="`loss`"):
        SGD(0.1, [parameter([1.0])]).minimize(3.0)


def test_minimize_does_not_run_backward(parameter):
    p = parameter([2.0])
    SGD(0.1, [p]).minimize(p * p)
    assert p.numpy() == 2
    assert p.gradient() is None


def test_minimize_returns_no_operators_and_raw_gradients(parameter, loss):
    p = parameter([2.0], grad=[3.0])
    clip = GradientClipByValue(1.0)
    result = SGD(0.1, [p], L2Decay(0.5), clip).minimize(loss)
    assert result[0] == []
    assert [(q.name, g.numpy().tolist()) for q, g in result[1]] == [(p.name, [3.0])]
    assert p.gradient().tolist() == [3]


def test_clipping_comes_before_weight_decay(parameter, loss):
    p = parameter([2.0], grad=[3.0])
    SGD(0.5, [p], L2Decay(0.5), GradientClipByValue(1.0)).minimize(loss)
    assert p.numpy() == 2 - 0.5 * (1 + 0.5 * 2)


def test_an_old_gradient_is_used_again(parameter, loss):
    p = parameter([2.0], grad=[0.5])
    optimizer = SGD(1.0, [p])
    optimizer.minimize(loss)
    optimizer.minimize(loss)
    assert p.numpy() == 1


def test_a_cleared_gradient_still_moves_adam(parameter, loss):
    p = parameter([2.0], grad=[3.0])
    optimizer = Adam(0.1, parameter_list=[p])
    optimizer.minimize(loss)
    before = p.numpy()
    optimizer.clear_gradients()
    optimizer.minimize(loss)
    assert p.gradient().tolist() == [0]
    np.testing.assert_allclose(before - p.numpy(), [0.06701], atol=1e-5)  # measured on Paddle


def test_the_list_given_to_minimize_does_not_count(parameter, loss):
    p, q = parameter([1.0], grad=[1.0]), parameter([1.0], grad=[1.0])
    SGD(0.5, [p, q]).minimize(loss, parameter_list=[p])
    assert q.numpy() == 0.5


def test_what_is_not_trainable_stays(parameter, loss):
    p = parameter([1.0], grad=[1.0])
    p.trainable = False
    optimizer = Adam(0.5, parameter_list=[p])
    assert optimizer.minimize(loss) == ([], [])
    optimizer.clear_gradients()
    assert p.numpy() == 1
    assert p.gradient() == 1
    assert optimizer.state_dict() == {}


def test_apply_gradients_does_what_minimize_does(parameter, loss):
    p = parameter([2.0], grad=[3.0])
    optimizer = SGD(0.5, [p], L2Decay(0.5), GradientClipByValue(1.0))
    assert optimizer.apply_gradients(optimizer.backward(loss)) == []
    assert p.numpy() == 1


def test_a_factor_in_the_attributes_multiplies_the_rate(parameter, loss):
    p, q = parameter([1.0], [1.0], learning_rate=0.25), parameter([1.0], [1.0])
    SGD(0.5, [p, q]).minimize(loss)
    assert p.numpy() == 1 - 0.125
    assert q.numpy() == 0.5


def test_parameters_of_several_types_are_updated_together(parameter, loss):
    p, q = parameter([1, 1], [1, 1], "float32"), parameter([1, 1], [1, 1], "float64")
    optimizer = Adam(0.1, parameter_list=[p, q])
    optimizer.minimize(loss)
    np.testing.assert_allclose(p.numpy(), [0.9, 0.9], rtol=1e-6)
    np.testing.assert_allclose(q.numpy(), [0.9, 0.9], rtol=1e-6)


def test_a_gradient_of_another_layout_is_understood(parameter, loss):
    p, q = parameter(np.zeros((2, 3))), parameter(np.zeros((2, 3)))
    for made in (p, q):
        made.grad = torch.arange(6.0).reshape(3, 2).t()
    SGD(1.0, [p]).minimize(loss)
    assert p.numpy().tolist() == [[0, -2, -4], [-1, -3, -5]]
    Adam(0.1, epsilon=1.0, parameter_list=[q]).minimize(loss)
    g = -p.numpy()
    expected = -0.1 * np.sqrt(0.001) * g / (np.sqrt(0.001) * g + 1)
    np.testing.assert_allclose(q.numpy(), expected, rtol=1e-5)


def test_a_graph_built_before_an_update_runs_backward_with_the_new_values():
    layer = Linear(1, 1, bias_attr=False)
    layer.weight.set_value(np.array([[2.0]], "float32"))
    x = to_variable(np.array([[3.0]], "float32"))
    x.stop_gradient = False
    optimizer = SGD(1.0, layer.parameters())
    first, second = layer(x), layer(x)
    first.backward()
    optimizer.minimize(first)
    second.backward()
    assert layer.weight.numpy() == -1
    assert x.gradient() == -1


def test_nothing_is_recorded_and_recording_goes_on(parameter, loss):
    p = parameter([1.0], grad=[1.0])
    SGD(0.5, [p]).apply_gradients([(p, p._grad_ivar())])
    assert p.is_leaf
    assert not (p * 2.0).stop_gradient


def test_a_derived_class_may_update_parameters_once_more(parameter, loss):
    class Halving(SGD):
        def apply_optimize(self, loss, startup_program, params_grads):
            super().apply_optimize(loss, startup_program, params_grads)
            for p, _ in params_grads:
                p.set_value(p.numpy() / 2)

    p = parameter([1.0], grad=[0.5])
    Halving(1.0, [p]).minimize(loss)
    assert p.numpy() == 0.25


def test_the_base_class_cannot_update(parameter, loss):
    with pytest.raises(NotImplementedError):
        Optimizer(0.1, [parameter([1.0], [1.0])]).minimize(loss)


# --- the learning rate ----------------------------------------------------------------------


def test_kinds_of_number_that_current_step_lr_gives_before_the_first_step(parameter):
    p = [parameter([1.0])]
    decays = [0.1, PolynomialDecay(1.0, 4), PiecewiseDecay([1], [1.0, 0.5], 0), StepDecay(1.0, 2)]
    kinds = [type(SGD(decay, p).current_step_lr()) for decay in decays]
    assert kinds == [float, np.float32, float, np.float32]


def test_current_step_lr_is_the_rate_of_the_last_step(parameter, loss):
    optimizer = SGD(PolynomialDecay(1.0, 4, 0.2), [parameter([1.0])])
    seen = [optimizer.current_step_lr()]
    for _ in range(5):
        optimizer.minimize(loss)
        seen.append(optimizer.current_step_lr())
    np.testing.assert_allclose(seen, [1, 1, 0.8, 0.6, 0.4, 0.2], rtol=1e-6)


def test_a_constant_rate_is_a_float32_after_the_first_step(parameter, loss):
    optimizer = SGD(0.1, [parameter([1.0])])
    optimizer.minimize(loss)
    assert type(optimizer.current_step_lr()) is np.float32


def test_plateau_has_no_rate_to_show_before_the_first_step(parameter):
    with pytest.raises(TypeError):
        SGD(ReduceLROnPlateau(1.0), [parameter([1.0])]).current_step_lr()


def test_a_rate_written_into_its_variable_counts(parameter, loss):
    p = parameter([1.0], grad=[1.0])
    optimizer = SGD(0.5, [p])
    optimizer.minimize(loss)
    optimizer._global_learning_rate().set_value(np.array([0.25], "float32"))
    optimizer.minimize(loss)
    assert p.numpy() == 0.25


def test_two_optimizers_advance_a_shared_decay_together(parameter, loss):
    decay = PolynomialDecay(1.0, 10, 0.0)
    p, q = parameter([0.0], [1.0]), parameter([0.0], [1.0])
    first, second = SGD(decay, [p]), SGD(decay, [q])
    for _ in range(2):
        first.minimize(loss)
        second.minimize(loss)
    np.testing.assert_allclose([-p.numpy()[0], -q.numpy()[0]], [1.8, 1.6], rtol=1e-6)


def test_an_optimizer_works_in_a_guard_that_was_opened_later(parameter, loss):
    p = parameter([1.0], grad=[0.25])
    optimizer = SGD(1.0, [p])
    optimizer.minimize(loss)
    with guard():
        assert type(optimizer.current_step_lr()) is float
        optimizer.minimize(loss)
    assert p.numpy() == 0.5
