"""`paddle.batch` groups samples; what it gives was compared with Paddle 1.8.5."""

from __future__ import annotations

import pytest

from refluid.paddle.batch import batch


def test_the_last_batch_may_be_smaller():
    reader = batch(lambda: iter([(i, -i) for i in range(5)]), 2)
    assert list(reader()) == [[(0, 0), (1, -1)], [(2, -2), (3, -3)], [(4, -4)]]
    assert len(list(reader())) == 3


def test_drop_last_leaves_the_smaller_batch_out():
    assert list(batch(lambda: range(5), 2, drop_last=True)()) == [[0, 1], [2, 3]]


def test_no_samples_make_no_batch():
    assert list(batch(lambda: [], 2)()) == []


def test_batch_size_is_made_an_int():
    assert list(batch(lambda: range(4), 2.0)()) == [[0, 1], [2, 3]]


@pytest.mark.parametrize("size", [0, -1, 0.5])
def test_batch_size_below_one_is_refused(size):
    with pytest.raises(ValueError, match=f"`batch_size` must be a positive.*{size}"):
        batch(lambda: range(4), size)
