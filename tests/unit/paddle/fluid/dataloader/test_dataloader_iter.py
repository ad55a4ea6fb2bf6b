"""Batches are collated as in Paddle 1.8.5, and wrong samples are named."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.core_avx import CPUPlace
from refluid.paddle.fluid.dataloader.dataloader_iter import (
    default_collate_fn,
    one_place,
    slots_of,
    to_array,
)


def test_arrays_are_stacked_into_one_slot():
    (batch,) = default_collate_fn([np.full((2, 3), k) for k in range(4)])
    assert batch.shape == (4, 2, 3)


def test_tuples_are_stacked_slot_by_slot():
    images, labels = default_collate_fn([(np.full(3, k, np.float32), k) for k in range(4)])
    assert (images.dtype, images.shape) == (np.float32, (4, 3))
    assert labels.tolist() == [0, 1, 2, 3]


def test_samples_with_other_numbers_of_slots_are_refused():
    with pytest.raises(ValueError, match=r"same number of slots, but received \[1, 2\]"):
        slots_of([(1, 2), (3,)])


def test_samples_without_slots_are_refused():
    with pytest.raises(TypeError, match=r"tuple or list with one item per slot, .* int"):
        slots_of([1, 2])


@pytest.mark.parametrize(
    ("item", "dtype", "shape"),
    [
        ([1, 2], np.int64, (2,)),
        ([[0.5], [1.5]], np.float64, (2, 1)),
        ([np.ones(3, np.float32)] * 2, np.float32, (2, 3)),
        (torch.ones(2), np.float32, (2,)),
        (3, np.int64, ()),
    ],
    ids=["ints", "floats", "arrays", "tensor", "number"],
)
def test_items_become_arrays(item, dtype, shape):
    array = to_array(0, item)
    assert (array.dtype, array.shape) == (dtype, shape)


def test_array_is_a_copy():
    mine = np.ones(2)
    to_array(0, mine)[0] = 5
    assert mine[0] == 1


def test_uneven_lists_and_objects_are_refused_by_slot():
    with pytest.raises(TypeError, match="slot 2 of the batch cannot be made an array"):
        to_array(2, [[1], [1, 2]])
    with pytest.raises(TypeError, match=r"slot 1 of the batch must hold numbers.*NoneType, int"):
        to_array(1, [None, 1])


def test_one_place_alone_or_in_a_list():
    place = CPUPlace()
    assert one_place(place) is one_place([place]) is one_place((place,)) is place
    assert one_place(None) is not None
    with pytest.raises(AssertionError, match=r"`places` must hold one place.*holds 2"):
        one_place([place, place])
    with pytest.raises(TypeError, match=r"`places` must be a place such as.*'cpu'"):
        one_place("cpu")
