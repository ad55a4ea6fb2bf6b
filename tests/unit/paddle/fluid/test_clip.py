"""Clips return new gradients, as Paddle's do."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid import clip
from refluid.paddle.fluid.core_avx.variable import VarBase, wrap
from refluid.paddle.fluid.dygraph.base import guard
from refluid.paddle.fluid.dygraph.layers import Layer


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


@pytest.fixture
def pairs():
    """Parameters with gradients [3, -4], [12] and none."""
    grads = (np.array([3, -4], "float32"), np.array([12], "float32"), None)
    params = [Layer().create_parameter([1 if g is None else len(g)]) for g in grads]
    return [
        (p, None if g is None else wrap(torch.from_numpy(g)))
        for p, g in zip(params, grads, strict=True)
    ]


def clipped(rule, pairs):
    return [g.numpy().tolist() for _, g in rule(pairs)]


def test_by_value_limits_every_element(pairs):
    assert clipped(clip.GradientClipByValue(3.5), pairs) == [[3, -3.5], [3.5]]
    assert clipped(clip.GradientClipByValue(3.5, -1.0), pairs) == [[3, -1], [3.5]]


def test_by_norm_scales_each_gradient(pairs):
    assert clipped(clip.GradientClipByNorm(10.0), pairs) == [[3, -4], [10]]


def test_by_global_norm_scales_all_by_one_number(pairs):
    np.testing.assert_allclose(
        np.concatenate(clipped(clip.GradientClipByGlobalNorm(6.5), pairs)), [1.5, -2, 6], rtol=1e-6
    )
    assert clipped(clip.GradientClipByGlobalNorm(13.5), pairs) == [[3, -4], [12]]


RULES = pytest.mark.parametrize(
    "rule",
    [clip.GradientClipByValue, clip.GradientClipByNorm, clip.GradientClipByGlobalNorm],
    ids=["value", "norm", "global norm"],
)


@RULES
def test_given_gradients_stay_and_new_ones_are_variables(rule, pairs):
    result = rule(1.0)(pairs)
    assert pairs[0][1].numpy().tolist() == [3, -4]
    assert all(isinstance(g, VarBase) for _, g in result)
    assert [p.name for p, _ in result] == [p.name for p, _ in pairs[:2]]


@RULES
def test_only_what_needs_it_is_clipped_or_counted(rule, pairs):
    first = pairs[0][0]
    result = rule(5.0, need_clip=lambda p: p is not first)(pairs)
    assert result[0][1] is pairs[0][1]
    assert result[1][1].numpy().tolist() == [5]


@RULES
def test_nothing_to_clip_is_fine(rule, pairs):
    assert rule(1.0)([]) == []
    assert rule(1.0, need_clip=lambda p: False)(pairs) == pairs[:2]


@RULES
def test_a_gradient_of_zeros_stays_zero(rule):
    p = Layer().create_parameter([2])
    ((_, grad),) = rule(1.0)([(p, wrap(torch.zeros(2)))])
    assert grad.numpy().tolist() == [0, 0]


@RULES
def test_repeated_rows_of_a_sparse_gradient_count_as_their_sum(rule):
    p = Layer().create_parameter([4, 1])
    grad = wrap(
        torch.sparse_coo_tensor(
            [[1, 3, 1]], torch.tensor([[2.0], [0.0], [2.0]]), (4, 1), check_invariants=True
        )
    )
    ((_, result),) = rule(1.0)([(p, grad)])
    assert result.is_sparse
    assert result.to_dense().ravel().tolist() == [0, 1, 0, 0]


@RULES
def test_need_clip_must_be_a_function(rule):
    with pytest.raises(TypeError, match="`need_clip`"):
        rule(1.0, need_clip=True)


def test_by_value_needs_a_positive_max_or_a_min():
    with pytest.raises(AssertionError, match="`max`"):
        clip.GradientClipByValue(-1.0)


def test_text_of_the_clips():
    assert (
        str(clip.GradientClipByValue(1)) == "Gradient Clip By Value, min = -1.000000, max=1.000000"
    )
    assert str(clip.GradientClipByNorm(1)) == "Gradient Clip By Norm, clip_norm=1.000000"
    assert str(clip.GradientClipByGlobalNorm(1)) == (
        "Gradient Clip By GlobalNorm, global_norm=1.000000"
    )


def test_a_program_may_derive_its_own_clip(pairs):
    class Sign(clip.GradientClipBase):
        def _dygraph_clip(self, params_grads):
            return [(p, g.sign()) for p, g in params_grads if g is not None]

    assert clipped(lambda pairs: Sign()(pairs), pairs[:0]) == []
    assert [g.tolist() for _, g in Sign()(pairs)] == [[1, -1], [1]]


# --- gradient_clip_attr: the rules are those of Paddle 1.8.5 --------------------------------------


def with_clips(pairs, *clips):
    for (param, _), each in zip(pairs, clips, strict=False):
        param.gradient_clip_attr = each
    return clip.append_gradient_clip_ops(pairs)


def test_the_last_clip_is_applied_to_all(pairs):
    found = with_clips(pairs, clip.GradientClipByValue(3.5), clip.GradientClipByValue(2.0))
    assert [g.numpy().tolist() for _, g in found] == [[2, -2], [2]]
    assert all(type(pair) is list for pair in found)


@pytest.mark.parametrize("rule", [clip.GradientClipByNorm(5.0), clip.GradientClipByGlobalNorm(6.5)])
def test_need_clip_is_not_asked(rule, pairs):
    rule._need_clip_func = lambda param: False
    found = [g.numpy() for _, g in with_clips(pairs, rule, rule)]
    rule._need_clip_func = None
    for mine, (_, expected) in zip(found, rule(pairs), strict=True):
        np.testing.assert_allclose(mine, expected.numpy())


def test_without_a_clip_for_each_nothing_is_clipped(pairs):
    assert with_clips(pairs, clip.GradientClipByValue(3.5)) is pairs
    assert clip.append_gradient_clip_ops([]) == []
    assert clip.append_gradient_clip_ops(pairs[2:]) == []


def test_an_attribute_that_is_no_clip_is_refused(pairs):
    with pytest.raises(TypeError, match=r"`gradient_clip_attr` of `.*` must be a gradient clip"):
        with_clips(pairs, clip.GradientClipByValue(3.5), 3)


def test_the_base_of_error_clips_defines_nothing():
    with pytest.raises(NotImplementedError):
        str(clip.BaseErrorClipAttr())
