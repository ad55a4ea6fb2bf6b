"""Maxima of planes that no greater one covers."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.core_avx import EnforceNotMet


def expected(x, axis, indexes):
    """Take maxima one by one, as the paper says."""
    x = np.moveaxis(x, axis, 1)
    out = np.zeros_like(x)
    for sample, marks in zip(x, out, strict=True):
        for plane in sample[indexes]:
            rows, columns = set(), set()
            for place in np.argsort(-plane, axis=None, kind="stable"):
                row, column = divmod(int(place), plane.shape[1])
                if row not in rows and column not in columns:
                    rows.add(row)
                    columns.add(column)
                    marks[:, row, column] = 1
    return np.moveaxis(out, 1, axis)


@pytest.mark.parametrize("axis", [1, 2, 3])
@pytest.mark.parametrize("indexes", [[0], [1, 0], (1,), [1, 1]])
def test_marks_are_those_of_one_maximum_after_the_other(variable, axis, indexes):
    values = np.random.RandomState(axis).rand(2, 3, 4, 5).astype("float32")
    out = L.similarity_focus(variable(values), axis, indexes)
    np.testing.assert_array_equal(out.numpy(), expected(values, axis, list(indexes)))


def test_of_equal_elements_the_first_is_taken_as_in_paddle(variable):
    plane = [[1, 1, 0], [1, 1, 1]]
    out = L.similarity_focus(variable([[plane, [[0] * 3] * 2]]), 1, [0])
    assert out.numpy()[0].tolist() == [[[1, 0, 0], [0, 1, 0]]] * 2


def test_no_row_is_used_twice_where_values_are_infinite(variable):
    out = L.similarity_focus(variable(np.full((1, 1, 3, 3), -np.inf)), 1, [0])
    assert out.numpy()[0, 0].tolist() == np.eye(3).tolist()


def test_gradients_end_at_the_marks(variable):
    x = variable(np.random.RandomState(0).rand(1, 2, 2, 2))
    marks = L.similarity_focus(x, 1, [0])
    L.reduce_sum(marks * x).backward()
    np.testing.assert_array_equal(x.gradient(), marks.numpy())


@pytest.mark.parametrize(
    ("axis", "indexes", "error", "message"),
    [
        (0, [0], ValueError, "`axis` must be 1, 2 or 3"),
        (4, [0], ValueError, "`axis` must be 1, 2 or 3"),
        (1, [], ValueError, "`indexes` must not be empty"),
        (1, [2], EnforceNotMet, "`indexes` numbers of planes"),
        (1, [-1], EnforceNotMet, "`indexes` numbers of planes"),
        (1, 0, TypeError, "`indexes` must be a list"),
    ],
)
def test_refused(variable, axis, indexes, error, message):
    with pytest.raises(error, match=message):
        L.similarity_focus(variable(np.ones((1, 2, 2, 2))), axis, indexes)
