"""Losses: reductions, weights, ignored labels, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.ops.loss import bce_loss, l1_loss, mse_loss, nll_loss
from refluid.paddle.fluid.dygraph.base import to_variable

REDUCE = {"mean": lambda a: a.mean(keepdims=True).reshape(1), "none": lambda a: a,
          "sum": lambda a: a.sum(keepdims=True).reshape(1)}  # fmt: skip


@pytest.mark.parametrize("reduction", REDUCE)
@pytest.mark.parametrize("shapes", [((3, 4), (3, 4)), ((3, 4), (4,)), ((4,), (3, 4))])
def test_differences_are_squared_or_absolute(numbers, variable, reduction, shapes):
    x, y = numbers(1, *shapes[0]), numbers(2, *shapes[1])
    for op, formula in ((mse_loss, np.square), (l1_loss, np.abs)):
        v, w = variable(x), variable(y)
        out = op(v, w, reduction)
        np.testing.assert_allclose(out.numpy(), REDUCE[reduction](formula(x - y)), 1e-5, 1e-6)
        out.backward()
        np.testing.assert_allclose(v.gradient().sum(), -w.gradient().sum(), 1e-4, 1e-5)


def test_whole_numbers_stay_whole():
    x, y = to_variable(np.array([1, 2])), to_variable(np.array([3, 5]))
    assert mse_loss(x, y).numpy().tolist() == [6]
    assert l1_loss(x, y).numpy().tolist() == [2]
    assert l1_loss(x, y).numpy().dtype == "int64"


@pytest.mark.parametrize("reduction", REDUCE)
@pytest.mark.parametrize("weighted", [False, True])
def test_binary_cross_entropy(numbers, variable, reduction, weighted):
    x, y, weight = (numbers(k, 3, 4) * 0.4 + 0.5 for k in (1, 2, 3))
    factor = weight[:1] if weighted else None
    label = variable(y)
    out = bce_loss(variable(x), label, variable(factor) if weighted else None, reduction)
    expected = -(y * np.log(x) + (1 - y) * np.log(1 - x)) * (1 if factor is None else factor)
    np.testing.assert_allclose(out.numpy(), REDUCE[reduction](expected), 1e-5, 1e-6)
    out.backward()
    assert label.gradient() is None


def test_binary_cross_entropy_stops_at_a_hundred(variable):
    x = variable([0, 1, 1], "float32")
    out = bce_loss(x, variable([1, 0, 1], "float32"), None, "none")
    assert out.numpy().tolist() == [100, 100, 0]
    out.backward()
    np.testing.assert_allclose(x.gradient(), [-1e12, 1e12, 0], 1e-6)


LABELS = {(3, 4): (3,), (3, 4, 2): (3, 2), (3, 4, 2, 5): (3, 2, 5), (2, 4, 2, 1, 3): (2, 2, 1, 3)}


@pytest.mark.parametrize("shape", LABELS)
@pytest.mark.parametrize("reduction", REDUCE)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", [-100, 2])
def test_negative_log_likelihood(numbers, variable, shape, reduction, weighted, ignored):
    x, weight = numbers(1, *shape), numbers(2, 4) + 1.5
    label = np.random.RandomState(3).randint(0, 4, LABELS[shape])
    out = nll_loss(
        variable(x), to_variable(label), to_variable(weight) if weighted else None, reduction,
        ignored,
    )  # fmt: skip
    factor = (weight[label] if weighted else np.ones(label.shape)) * (label != ignored)
    losses = -np.take_along_axis(x, label[:, None], 1)[:, 0] * factor
    expected = {"none": losses, "sum": [losses.sum()], "mean": [losses.sum() / factor.sum()]}
    np.testing.assert_allclose(out.numpy(), expected[reduction], 1e-4, 1e-5)


def test_nothing_but_ignored_labels_gives_zero(numbers, variable):
    x = variable(numbers(1, 3, 4))
    out = nll_loss(x, to_variable(np.array([1, 1, 1])), None, "mean", 1)
    assert out.numpy().tolist() == [0]
    out.backward()
    assert (x.gradient() == 0).all()


def test_a_column_of_labels_is_taken_too(numbers, variable):
    label = np.array([1, 3, 0])
    x = numbers(1, 3, 4)
    assert (
        nll_loss(variable(x), to_variable(label[:, None])).numpy()
        == nll_loss(variable(x), to_variable(label)).numpy()
    )


def test_what_does_not_fit_is_refused_by_name(numbers, variable):
    x, label = variable(numbers(1, 3, 4)), to_variable(np.array([1, 3, 0]))
    with pytest.raises(EnforceNotMet, match="`label` must be from 0 to 3, but received 4"):
        nll_loss(x, to_variable(np.array([1, 4, 0])))
    with pytest.raises(EnforceNotMet, match=r"`label` must have shape \[3\]"):
        nll_loss(x, to_variable(np.array([1, 3])))
    with pytest.raises(EnforceNotMet, match="`label` must be of int64"):
        nll_loss(x, to_variable(np.array([1, 3, 0], "int32")))
    with pytest.raises(EnforceNotMet, match="`weight` must have 4 elements"):
        nll_loss(x, label, variable(numbers(1, 3)))
    with pytest.raises(EnforceNotMet, match="`input` must have 2 or more dimensions"):
        nll_loss(variable(numbers(1, 4)), label)
    with pytest.raises(EnforceNotMet, match="`input` must be probabilities from 0 to 1"):
        bce_loss(variable([1.5], "float32"), variable([1], "float32"))
    with pytest.raises(EnforceNotMet, match="`input` and `label` must have one shape"):
        bce_loss(variable([0.5, 0.5], "float32"), variable([1], "float32"))
    with pytest.raises(EnforceNotMet, match="one element type"):
        mse_loss(x, variable(numbers(1, 3, 4).astype("float64")))
