"""Edit distances against the textbook's table, cell by cell."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L


def distance(one, two):
    """Return Levenshtein's distance of two lists, from the table of all beginnings."""
    table = np.zeros((len(one) + 1, len(two) + 1), int)
    table[:, 0], table[0, :] = np.arange(len(one) + 1), np.arange(len(two) + 1)
    for i, first in enumerate(one, start=1):
        for j, second in enumerate(two, start=1):
            changed = table[i - 1, j - 1] + (first != second)
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, changed)
    return table[-1, -1]


@pytest.mark.parametrize("ignored", [None, [0], [1, 2]])
@pytest.mark.parametrize(("length", "label_length"), [(7, 5), (3, 8), (1, 1)])
def test_edit_distance_of_every_row_is_that_of_the_table(ignored, length, label_length):
    rng = np.random.RandomState(length)
    rows = rng.randint(0, 4, [6, length]).astype("int64")
    labels = rng.randint(0, 4, [6, label_length]).astype("int64")
    ends, label_ends = rng.randint(0, length + 1, 6), rng.randint(0, label_length + 1, 6)
    given = [fluid.dygraph.to_variable(a) for a in (rows, labels, ends, label_ends)]
    found, count = L.edit_distance(given[0], given[1], False, ignored, given[2], given[3])

    dropped = set(ignored or [])
    expected = [
        distance(
            [n for n in row[:end] if n not in dropped],
            [n for n in label[:label_end] if n not in dropped],
        )
        for row, label, end, label_end in zip(rows, labels, ends, label_ends, strict=True)
    ]
    assert found.numpy().ravel().tolist() == expected
    assert count.numpy().tolist() == [6]


def test_edit_distance_divides_by_the_length_of_what_is_left_of_the_label():
    row, label = (
        fluid.dygraph.to_variable(np.array([values], "int64"))
        for values in ([1, 2, 3, 4], [1, 0, 3, 4, 4])
    )
    # 1 2 3 4 against 1 3 4 4: remove the 2, add a 4
    assert L.edit_distance(row, label, True, [0])[0].numpy().tolist() == [[0.5]]


def test_edit_distance_refuses_an_empty_label_where_it_divides_by_its_length():
    row = fluid.dygraph.to_variable(np.array([[1, 2]], "int64"))
    with pytest.raises(fluid.core.EnforceNotMet, match="labels that are not empty"):
        L.edit_distance(row, row, True, [1, 2])


def test_edit_distance_refuses_lengths_of_another_batch():
    row = fluid.dygraph.to_variable(np.array([[1, 2], [3, 4]], "int64"))
    lengths = fluid.dygraph.to_variable(np.array([2, 2, 2], "int64"))
    with pytest.raises(fluid.core.EnforceNotMet, match=r"`input_length` must have 2 elements"):
        L.edit_distance(row, row, True, None, lengths, None)
