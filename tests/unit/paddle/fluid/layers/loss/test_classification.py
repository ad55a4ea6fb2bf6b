"""Cross entropy where the numbers are extreme, and accuracy with equal scores."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L


def test_probability_zero_costs_1e20_and_has_an_infinite_gradient(variable):
    x = variable([[1.0, 0.0], [0.0, 1.0]])
    loss = L.cross_entropy(x, variable([[1], [1]], "int64"))
    L.reduce_sum(loss).backward()
    np.testing.assert_allclose(loss.numpy(), [[1e20], [0.0]])
    assert x.gradient().tolist() == [[0.0, -np.inf], [0.0, -1.0]]


def test_an_ignored_row_gets_no_gradient_even_at_probability_zero(variable):
    x = variable([[1.0, 0.0], [0.5, 0.5]])
    L.mean(L.cross_entropy(x, variable([[1], [0]], "int64"), ignore_index=1)).backward()
    assert x.gradient().tolist() == [[0.0, 0.0], [-1.0, 0.0]]


def test_ignored_rows_of_softmax_with_cross_entropy_get_no_gradient(variable):
    x = variable([[1.0, 2.0], [3.0, 1.0]])
    L.reduce_sum(L.softmax_with_cross_entropy(x, variable([[1], [-100]], "int64"))).backward()
    assert (x.gradient()[1] == 0).all()
    assert (x.gradient()[0] != 0).all()


def test_normalized_loss_without_any_label_is_zero(variable):
    x, label = variable([[1.0, 2.0]]), variable([[-1.0, -1.0]])
    out = L.sigmoid_cross_entropy_with_logits(x, label, ignore_index=-1, normalize=True)
    assert out.numpy().tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_of_equal_scores_the_lower_class_counts_as_higher(variable, k):
    labels = variable([[0], [1], [2], [3]], "int64")
    assert L.accuracy(variable(np.zeros((4, 4))), labels, k).numpy() == k / 4


@pytest.mark.parametrize("k", [1, 3])
def test_accuracy_writes_its_counts(variable, k):
    correct, total = L.create_tensor("int32"), L.create_tensor("int32")
    scores = variable(np.eye(5)[:, ::-1].copy())
    acc = L.accuracy(scores, variable([[4], [3], [2], [0], [1]], "int64"), k, correct, total)
    assert (acc.shape, acc.stop_gradient) == ([1], True)
    assert total.numpy() == 5
    np.testing.assert_allclose(acc.numpy(), correct.numpy() / 5, rtol=1e-6)


def test_label_above_all_classes_is_a_miss(variable):
    assert L.accuracy(variable([[0.1, 0.9]]), variable([[7]], "int64")).numpy() == 0.0
    assert L.accuracy(variable([[0.1, 0.9]]), variable([[7]], "int64"), 2).numpy() == 0.0
