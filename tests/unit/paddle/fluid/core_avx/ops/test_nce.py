"""Noise-contrastive estimation: its cost, its draws, its gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.ops.nce import nce
from refluid.paddle.fluid.dygraph.base import to_variable

LABEL = np.array([[1], [0], [5]])
DISTRIBUTION = [0.1, 0.2, 0.1, 0.1, 0.1, 0.2, 0.1, 0.1]


@pytest.mark.parametrize("true", [LABEL, LABEL[:, 0], np.array([[1, 2], [3, 4], [0, 1]])])
def test_without_draws_every_true_class_is_certain(numbers, variable, true):
    out = nce(
        variable(numbers(1, 3, 4)), to_variable(true), variable(numbers(2, 8, 4)), None, None, 0
    )
    np.testing.assert_allclose(out.numpy(), np.zeros((3, 1)), atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_cost_follows_the_formula_where_only_one_class_can_be_drawn(
    numbers, variable, weighted
):
    x, weight, bias, factors = (
        numbers(1, 3, 4),
        numbers(2, 8, 4),
        numbers(3, 8, 1),
        numbers(4, 3, 1),
    )
    only = [0.0] * 7 + [1.0]
    out = nce(
        variable(x), to_variable(LABEL), variable(weight), variable(bias),
        variable(factors) if weighted else None, 5, "custom_dist", only,
    )  # fmt: skip
    o = 1 / (1 + np.exp(-(x @ weight.T + bias.T)))
    true, q = np.take_along_axis(o, LABEL, 1), 5.0
    # the true classes are never drawn, so that nothing is expected of them
    expected = -np.log(true / true) - 5 * np.log(q / (o[:, 7:] + q))
    np.testing.assert_allclose(out.numpy(), expected * (factors if weighted else 1), 1e-4, 1e-5)


@pytest.mark.parametrize("sampler", ["uniform", "log_uniform", "custom_dist"])
def test_a_seed_repeats_the_draws_and_none_takes_torchs(numbers, variable, sampler):
    def cost(seed):
        args = variable(numbers(1, 3, 4)), to_variable(LABEL), variable(numbers(2, 8, 4))
        return nce(*args, None, None, 5, sampler, DISTRIBUTION, seed).numpy().tolist()

    assert cost(3) == cost(3) != cost(4)
    torch.manual_seed(1)
    first = cost(0)
    assert first != cost(0)
    torch.manual_seed(1)
    assert cost(0) == first


def test_a_sparse_gradient_holds_each_used_row_once(numbers, variable):
    grads = []
    for sparse in (False, True):
        weight = variable(numbers(2, 8, 4))
        nce(
            variable(numbers(1, 3, 4)), to_variable(LABEL), weight, None, None, 3, seed=2,
            is_sparse=sparse,
        ).backward()  # fmt: skip
        grads.append(weight.gradient())
    values, rows = grads[1]
    assert rows.tolist() == sorted(set(rows.tolist()))
    dense = np.zeros((8, 4), "float32")
    dense[rows] = values
    np.testing.assert_allclose(dense, grads[0], 1e-5, 1e-6)


def test_what_does_not_fit_is_refused_by_name(numbers, variable):
    x, weight = variable(numbers(1, 3, 4)), variable(numbers(2, 8, 4))
    with pytest.raises(EnforceNotMet, match="`label` must be from 0 to 7, but received 8"):
        nce(x, to_variable(LABEL + 3), weight, None, None, 5)
    with pytest.raises(EnforceNotMet, match=r"`label` must have shape \[3,"):
        nce(x, to_variable(LABEL[:2]), weight, None, None, 5)
    with pytest.raises(EnforceNotMet, match=r"`input` must have shape \[batch, 4\]"):
        nce(variable(numbers(1, 3, 5)), to_variable(LABEL), weight, None, None, 5)
