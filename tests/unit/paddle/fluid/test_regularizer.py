"""Weight decay as Paddle adds it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid import regularizer
from refluid.paddle.fluid.core_avx.variable import VarBase, wrap
from refluid.paddle.fluid.dygraph.base import guard
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.param_attr import ParamAttr
from refluid.paddle.fluid.regularizer import L1Decay, L2Decay, append_regularization_ops


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


def pair(values=(2.0, -1.0), grad=(3.0, 3.0), **attr):
    p = Layer().create_parameter([len(values)], ParamAttr(**attr))
    p.set_value(np.array(values, "float32"))
    return p, None if grad is None else wrap(torch.tensor(grad))


def decayed(pairs, rule):
    return [g.numpy().tolist() for _, g in append_regularization_ops(pairs, rule)]


def test_l2_adds_the_weight_and_l1_its_sign():
    assert decayed([pair()], L2Decay(0.5)) == [[4, 2.5]]
    assert decayed([pair()], L1Decay(0.5)) == [[3.5, 2.5]]


def test_a_parameters_own_rule_replaces_the_optimizers():
    pairs = [pair(regularizer=L2Decay(0.25)), pair(), pair(regularizer=L1Decay(1.0))]
    assert decayed(pairs, L2Decay(0.5)) == [[3.5, 2.75], [4, 2.5], [4, 2]]
    assert decayed(pairs, None) == [[3.5, 2.75], [3, 3], [4, 2]]


def test_given_gradients_stay_and_new_ones_are_variables():
    p, g = pair()
    ((q, new),) = append_regularization_ops([(p, g)], L2Decay(0.5))
    assert q is p
    assert isinstance(new, VarBase)
    assert g.numpy().tolist() == [3, 3]


def test_without_a_gradient_there_is_nothing_to_add():
    pairs = [pair(grad=None)]
    assert append_regularization_ops(pairs, L2Decay(0.5)) == pairs


def test_a_sparse_gradient_becomes_a_dense_one():
    p = Layer().create_parameter([3, 1])
    p.set_value(np.array([[1], [2], [3]], "float32"))
    sparse = wrap(
        torch.sparse_coo_tensor([[0, 0]], torch.ones(2, 1), (3, 1), check_invariants=True)
    )
    ((_, new),) = append_regularization_ops([(p, sparse)], L2Decay(1.0))
    assert new.numpy().ravel().tolist() == [3, 2, 3]


def test_a_program_may_derive_its_own_rule():
    class Pull(regularizer.WeightDecayRegularizer):
        def __call__(self, param, grad, block):
            return param * 10.0

    assert decayed([pair()], Pull()) == [[23, -7]]


@pytest.mark.parametrize("rule", [L1Decay, L2Decay])
def test_the_term_alone_and_its_text(rule):
    p, g = pair()
    term = {L1Decay: [0.5, -0.5], L2Decay: [1, -0.5]}[rule]
    assert rule(0.5)(p, g, None).numpy().tolist() == term
    assert str(rule(0.5)) == f"{rule.__name__[:2]}Decay, regularization_coeff=0.500000"


@pytest.mark.parametrize("rule", [L1Decay, L2Decay])
def test_the_coefficient_must_be_given(rule):
    with pytest.raises(AssertionError, match="`regularization_coeff`"):
        rule(None)
