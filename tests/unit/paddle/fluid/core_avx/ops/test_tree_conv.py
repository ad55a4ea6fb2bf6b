"""Convolution over trees, by hand on a small one."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.ops.tree_conv import tree_conv
from refluid.paddle.fluid.dygraph.base import to_variable

# 1 has the children 2, 3, 4; 2 has the child 5
EDGES = np.array([[[1, 2], [1, 3], [1, 4], [2, 5], [0, 0], [1, 6]]], "int32")
F, OUT, M = 3, 2, 2


def shares(max_depth):
    """How much each node counts as left, right, top in each root's window."""
    half = 1 - (max_depth - 1) / max_depth
    result = np.zeros((7, 3, 7))
    for root in range(5):
        result[root, 2, root] = 1
    for child, left in ((1, 0), (2, 0.5), (3, 1)):
        a = half * left
        result[0, :, child] = a, half * (1 - a), 1 - half
    a = half * 0.5
    result[1, :, 4] = a, half * (1 - a), 1 - half
    if max_depth > 2:
        low = 1 - (max_depth - 2) / max_depth
        a = low * 0.5
        result[0, :, 4] = a, low * (1 - a), 1 - low
    return result


@pytest.mark.parametrize("max_depth", [2, 3, 4])
def test_nodes_are_weighed_with_their_descendants(numbers, variable, max_depth):
    nodes, weight = numbers(1, 1, 7, F), numbers(2, F, 3, OUT, M)
    out = tree_conv(variable(nodes), to_variable(EDGES), variable(weight), None, max_depth)
    expected = np.einsum("ukn,nf,fkom->uom", shares(max_depth), nodes[0], weight)
    np.testing.assert_allclose(out.numpy()[0], expected, 1e-4, 1e-5)
    assert (out.numpy()[0, 5:] == 0).all()


def test_the_weights_gradient_is_the_true_one_and_the_nodes_paddles(numbers, variable):
    nodes, weight = variable(numbers(1, 1, 7, F)), variable(numbers(2, F, 3, OUT, M))
    tree_conv(nodes, to_variable(EDGES), weight, None, 2).backward()
    expected = np.einsum("ukn,nf->fk", shares(2), numbers(1, 1, 7, F)[0])
    np.testing.assert_allclose(
        weight.gradient(), np.broadcast_to(expected[..., None, None], (F, 3, OUT, M)), 1e-4, 1e-5
    )
    misread = numbers(2, F, 3, OUT, M).reshape(F, OUT * M, 3)
    expected = np.einsum("ukn,fok->nf", shares(2), misread)
    np.testing.assert_allclose(nodes.gradient()[0], expected, 1e-4, 1e-5)


def test_nodes_that_need_no_gradient_change_neither_result_nor_weight_gradient(numbers, variable):
    results = []
    for nodes in (variable(numbers(1, 1, 7, F)), to_variable(numbers(1, 1, 7, F))):
        weight = variable(numbers(2, F, 3, OUT, M))
        out = tree_conv(nodes, to_variable(EDGES), weight, None, 2)
        out.backward()
        results.append((out.numpy(), weight.gradient(), nodes.gradient()))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])
    assert results[1][2] is None


def test_a_bias_runs_along_the_nodes(numbers, variable):
    args = variable(numbers(1, 1, 7, F)), to_variable(EDGES), variable(numbers(2, F, 3, OUT, M))
    plain = tree_conv(*args, None, 2).numpy()
    biased = tree_conv(*args, variable(numbers(3, 7)), 2, "tanh").numpy()
    expected = np.tanh(plain + numbers(3, 7)[:, None, None])
    np.testing.assert_allclose(biased, expected, 1e-5, 1e-6)


def test_what_does_not_fit_is_refused_by_name(numbers, variable):
    nodes, weight = variable(numbers(1, 1, 7, F)), variable(numbers(2, F, 3, OUT, M))
    edges = to_variable(EDGES)
    with pytest.raises(EnforceNotMet, match="`edge_set` must be of int32"):
        tree_conv(nodes, to_variable(EDGES.astype("int64")), weight, None, 2)
    with pytest.raises(EnforceNotMet, match=r"`edge_set` must have shape \[1, edges, 2\]"):
        tree_conv(nodes, to_variable(EDGES[0]), weight, None, 2)
    with pytest.raises(EnforceNotMet, match=r"`edge_set` must name nodes from 1 to 7"):
        tree_conv(nodes, to_variable(EDGES + 7), weight, None, 2)
    with pytest.raises(EnforceNotMet, match=r"`nodes_vector` must have shape"):
        tree_conv(variable(numbers(1, 1, 7, 2)), edges, weight, None, 2)
    with pytest.raises(EnforceNotMet, match="`max_depth` must be above 1"):
        tree_conv(nodes, edges, weight, None, 1)
    with pytest.raises(EnforceNotMet, match="`bias` must have 1 or 7 elements"):
        tree_conv(nodes, edges, weight, variable(numbers(3, 2)), 2)
