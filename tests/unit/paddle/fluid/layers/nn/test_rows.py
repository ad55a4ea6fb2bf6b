"""Rows of sparse gradients: numbers of Paddle 1.8.5."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.core_avx import EnforceNotMet


@pytest.fixture
def grad(variable):
    """The gradient of a table of 10 rows, looked up at 1, 7, 1 and 0."""
    table = fluid.dygraph.Embedding([10, 3], is_sparse=True)
    found = table(variable([[1], [7], [1], [0]], "int64"))
    L.reduce_sum(found * variable(np.arange(12).reshape(4, 1, 3), grad=False)).backward()
    return table.weight._grad_ivar()


def test_rows_come_in_the_order_of_the_ids(grad):
    rows = L.get_tensor_from_selected_rows(grad)
    np.testing.assert_array_equal(rows.numpy(), np.arange(12, dtype="float32").reshape(4, 3))


def test_merged_rows_are_added_up_and_sorted(grad):
    merged = L.merge_selected_rows(grad)
    rows = L.get_tensor_from_selected_rows(merged)
    assert rows.numpy().tolist() == [[9, 10, 11], [6, 8, 10], [3, 4, 5]]
    # the gradient itself keeps its repeated row
    assert L.get_tensor_from_selected_rows(grad).shape == [4, 3]


def test_the_kind_of_variable_tells_a_sparse_gradient(grad):
    sparse = fluid.core.VarDesc.VarType.SELECTED_ROWS
    assert grad.type == sparse
    assert L.merge_selected_rows(grad).type == sparse
    assert L.get_tensor_from_selected_rows(grad).type == fluid.core.VarDesc.VarType.LOD_TENSOR


def test_a_dense_variable_is_refused(variable):
    with pytest.raises(TypeError, match="must be the sparse gradient"):
        L.get_tensor_from_selected_rows(variable([[1.0]]))
    with pytest.raises(EnforceNotMet, match="must be the sparse gradient"):
        L.merge_selected_rows(variable([[1.0]]))


def test_other_operators_refuse_a_sparse_gradient(grad):
    with pytest.raises(EnforceNotMet, match="a sparse gradient"):
        L.scale(grad, 2.0)
