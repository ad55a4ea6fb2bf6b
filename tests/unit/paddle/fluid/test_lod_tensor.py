"""LoDTensors are made as Paddle 1.8.5 makes them; numbers were recorded from it."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import CPUPlace, create_lod_tensor, create_random_int_lodtensor
from refluid.paddle.fluid.core_avx import EnforceNotMet


def test_names_are_paddles():
    assert fluid.LoDTensor is fluid.Tensor is fluid.core.LoDTensor
    assert fluid.LoDTensorArray is fluid.core.LoDTensorArray


def test_rows_of_an_array_stay_as_they_are():
    rows = np.arange(5.0).reshape(5, 1)
    tensor = create_lod_tensor(rows, [[1, 1], [2, 3]], CPUPlace())
    assert tensor.lod() == [[0, 1, 2], [0, 2, 5]]
    assert np.array(tensor).tolist() == rows.tolist()
    again = create_lod_tensor(tensor, [[4, 1]], CPUPlace())
    assert (again.lod(), again.shape()) == ([[0, 4, 5]], [5, 1])
    assert create_lod_tensor(rows, [], CPUPlace()).lod() == []


def test_list_of_sequences_gets_a_dimension_more():
    tensor = create_lod_tensor([[1, 2], [3]], [[2, 1]], CPUPlace())
    assert (np.array(tensor).tolist(), tensor.lod()) == ([[1], [2], [3]], [[0, 2, 3]])
    assert np.array(tensor).dtype == np.int64
    nested = create_lod_tensor([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]], [[2, 1]], CPUPlace())
    assert nested.shape() == [3, 2, 1]


def test_lengths_that_do_not_fit_are_refused():
    with pytest.raises(EnforceNotMet, match=r"offsets \[\[0, 2, 4\]\]"):
        create_lod_tensor(np.ones((5, 1)), [[2, 2]], CPUPlace())
    with pytest.raises(AssertionError, match=r"of the lengths \[\[2, 1\]\], .* is \[\[2, 2\]\]"):
        create_lod_tensor([[1, 2], [3]], [[2, 2]], CPUPlace())
    with pytest.raises(EnforceNotMet, match="do not fit"):
        create_lod_tensor([], [[]], CPUPlace())


def test_other_data_are_refused():
    for data in ((1, 2), 3, None):
        with pytest.raises(TypeError, match=r"`data` must be a LoDTensor, an array or a list"):
            create_lod_tensor(data, [[1, 1]], CPUPlace())


def test_random_numbers_are_paddles():
    np.random.seed(3)
    tensor = create_random_int_lodtensor([[2, 3]], [4], CPUPlace(), 0, 9)
    assert np.array(tensor).tolist() == [
        [8, 9, 3, 8],
        [8, 0, 5, 3],
        [9, 9, 5, 7],
        [6, 0, 4, 7],
        [8, 1, 6, 2],
    ]
    assert (np.array(tensor).dtype, tensor.lod()) == (np.int64, [[0, 2, 5]])
    assert np.random.rand() == 0.5908628174163508


def test_bounds_and_shape_of_random_numbers_are_checked():
    with pytest.raises(ValueError, match="low >= high"):
        create_random_int_lodtensor([[2]], [4], CPUPlace(), 9, 0)
    with pytest.raises(AssertionError, match="`base_shape` must be a list"):
        create_random_int_lodtensor([[2]], (4,), CPUPlace(), 0, 9)
