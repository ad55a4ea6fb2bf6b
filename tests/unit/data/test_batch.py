"""Batches hold every image once, in an order that the seed and the epoch decide."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.data import LabeledImages
from refluid.data.batch import batches, shuffled_order


@pytest.fixture
def part() -> LabeledImages:
    images = np.arange(7, dtype=np.float32).reshape(7, 1, 1, 1) / 8
    return LabeledImages(images=images, labels=np.arange(7), source="here")


def test_last_batch_holds_what_is_left(part):
    found = list(batches(part, 3))
    assert [(x.shape, y.shape) for x, y in found] == [
        ((3, 1, 1, 1), (3, 1)),
        ((3, 1, 1, 1), (3, 1)),
        ((1, 1, 1, 1), (1, 1)),
    ]
    assert np.concatenate([y for _, y in found]).ravel().tolist() == list(range(7))


def test_images_keep_their_labels_in_any_order(part):
    order = shuffled_order(7, seed=1, epoch=2)
    found = list(batches(part, 2, order))
    for images, labels in found:
        assert (images.ravel() * 8 == labels.ravel()).all()
    assert np.concatenate([y for _, y in found]).ravel().tolist() == order.tolist()


def test_order_is_decided_by_seed_and_epoch_alone():
    order = shuffled_order(6, seed=0, epoch=3)
    # recorded; RandomState's numbers never change
    assert order.tolist() == [4, 0, 5, 1, 2, 3]
    np.random.seed(5)
    np.testing.assert_array_equal(order, shuffled_order(6, seed=0, epoch=3))
    orders = {tuple(shuffled_order(50, seed, epoch)) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9
