"""Looking up rows: shapes, padding, dense and sparse gradients, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.ops.embedding import lookup_table, lookup_table_v2
from refluid.paddle.fluid.dygraph.base import to_variable

IDS = np.array([[0, 1], [1, 3]])


@pytest.mark.parametrize("shape", [(), (4,), (2, 2), (4, 1), (1, 2, 2)])
def test_the_result_has_one_dimension_more(numbers, variable, shape):
    ids = IDS.reshape(-1)[: max(1, int(np.prod(shape)))].reshape(shape)
    out = lookup_table_v2(variable(numbers(1, 4, 3)), to_variable(ids))
    assert out.shape == [*shape, 3]
    np.testing.assert_array_equal(out.numpy(), numbers(1, 4, 3)[ids])


def test_the_older_operator_drops_a_last_dimension_of_one(numbers, variable):
    table = variable(numbers(1, 4, 3))
    assert lookup_table(table, to_variable(IDS[..., None])).shape == [2, 2, 3]
    assert lookup_table(table, to_variable(np.array([2]))).shape == [3]
    with pytest.raises(EnforceNotMet, match=r"last dimension of `ids` must be 1.*\[2, 2\]"):
        lookup_table(table, to_variable(IDS))


@pytest.mark.parametrize("sparse", [False, True])
def test_padding_gives_zeros_whatever_the_table_holds(numbers, variable, sparse):
    table = variable(numbers(1, 4, 3))
    out = lookup_table_v2(table, to_variable(IDS), 1, sparse)
    expected = numbers(1, 4, 3)[IDS] * (IDS != 1)[..., None]
    np.testing.assert_array_equal(out.numpy(), expected)
    np.testing.assert_array_equal(table.numpy(), numbers(1, 4, 3))


def test_a_dense_gradient_adds_up_repeated_rows_and_skips_padding(numbers, variable):
    table = variable(numbers(1, 4, 2))
    lookup_table_v2(table, to_variable(IDS)).backward()
    assert table.gradient().tolist() == [[1, 1], [2, 2], [0, 0], [1, 1]]
    lookup_table_v2(table, to_variable(IDS), 1).backward()
    assert table.gradient().tolist() == [[1, 1], [0, 0], [0, 0], [1, 1]]


@pytest.mark.parametrize("padding_idx", [-1, 1])
def test_a_sparse_gradient_keeps_every_row_that_was_looked_up(numbers, variable, padding_idx):
    table = variable(numbers(1, 4, 2))
    lookup_table_v2(table, to_variable(IDS), padding_idx, True).backward()
    values, rows = table.gradient()
    assert rows.tolist() == [0, 1, 1, 3]
    assert values.tolist() == [[1, 1]] * 4


@pytest.mark.parametrize("wrong", [-1, 4])
def test_numbers_outside_of_the_table_are_refused(numbers, variable, wrong):
    with pytest.raises(EnforceNotMet, match=f"`ids` must be from 0 to 3, but received {wrong}"):
        lookup_table_v2(variable(numbers(1, 4, 3)), to_variable(np.array([0, wrong])))


def test_numbers_must_be_int64_and_the_table_a_matrix(numbers, variable):
    with pytest.raises(EnforceNotMet, match=r"`ids` must be of int64, but received int32 \[2\]"):
        lookup_table_v2(variable(numbers(1, 4, 3)), to_variable(np.array([0, 1], "int32")))
    with pytest.raises(EnforceNotMet, match="`weight` must have 2 dimensions"):
        lookup_table_v2(variable(numbers(1, 4)), to_variable(np.array([0, 1])))
