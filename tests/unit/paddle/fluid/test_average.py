"""WeightedAverage as in Paddle 1.8.5."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.average import WeightedAverage


@pytest.fixture
def average():
    with pytest.warns(Warning, match="WeightedAverage is deprecated"):
        return WeightedAverage()


def test_numbers_are_weighted(average):
    average.add(2.0, 1)
    average.add(4.0, np.int32(3))
    assert average.eval() == 3.5
    average.reset()
    average.add(1.0, 1)
    assert average.eval() == 1.0


def test_arrays_are_weighted_and_not_written_to(average):
    first = np.array([[1.0, 2.0], [3.0, 4.0]])
    average.add(first, 2)
    average.add(np.array([[5.0, 2.0], [3.0, 4.0]]), 2)
    assert average.eval().tolist() == [[3, 2], [3, 4]]
    assert first.tolist() == [[1, 2], [3, 4]]


def test_no_data_is_an_error(average):
    with pytest.raises(ValueError, match="no data to be averaged"):
        average.eval()


@pytest.mark.parametrize(
    ("value", "weight", "text"),
    [(None, 1, "`value`.*NoneType"), (1, "x", "`weight`.*str"), (1, np.ones(2), "`weight`")],
)
def test_other_types_are_refused(average, value, weight, text):
    with pytest.raises(ValueError, match=text):
        average.add(value, weight)
