"""Elements by number: repeated numbers, and what they mean for gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.core_avx import EnforceNotMet


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_scatter_keeps_the_last_of_several_updates_of_a_row(variable, dtype, shape):
    x, updates = variable(np.zeros((3, 2))), variable(np.arange(8.0).reshape(4, 2) + 1)
    rows = variable(np.reshape([2, 0, 2, 2], shape), dtype)
    out = L.scatter(x, rows, updates)
    np.testing.assert_array_equal(out.numpy(), [[3, 4], [0, 0], [7, 8]])
    L.reduce_sum(out * out).backward()
    # the whole gradient of the result, as in Paddle, and for each update that of its row
    np.testing.assert_array_equal(x.gradient(), 2 * out.numpy())
    np.testing.assert_array_equal(updates.gradient(), 2 * out.numpy()[[2, 0, 2, 2]])


def test_scatter_that_adds_starts_from_zero_and_hands_the_same_gradients_on(variable):
    x, updates = variable(np.full((3, 2), np.nan)), variable(np.arange(8.0).reshape(4, 2))
    out = L.scatter(x, variable([2, 0, 2, 1], "int64"), updates, overwrite=False)
    np.testing.assert_array_equal(out.numpy(), [[2, 3], [6, 7], [4, 6]])
    L.reduce_sum(out * out).backward()
    np.testing.assert_array_equal(x.gradient(), 2 * out.numpy())
    np.testing.assert_array_equal(updates.gradient(), 2 * out.numpy()[[2, 0, 2, 1]])


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_the_gradient_of_gather_is_that_of_the_last_time_a_row_was_taken(variable, dtype):
    x, weights = variable(np.zeros((3, 2))), variable(np.arange(8.0).reshape(4, 2), grad=False)
    taken = L.gather(x, variable([[2], [0], [2], [2]], dtype))
    L.reduce_sum(taken * weights).backward()
    np.testing.assert_array_equal(x.gradient(), [[2, 3], [0, 0], [6, 7]])


def test_numbers_of_rows_that_do_not_exist_are_refused(variable):
    x, update = variable(np.zeros((3, 2))), variable(np.ones((1, 2)))
    for row in (-1, 3):
        rows = variable([row], "int64")
        with pytest.raises(EnforceNotMet, match="scatter: "):
            L.scatter(x, rows, update)


def test_strided_slice_goes_backwards_over_the_first_element(variable):
    x = variable(np.arange(10.0))
    assert L.strided_slice(x, [0], [-1], [-100], [-3]).numpy().tolist() == [9, 6, 3, 0]
    assert L.strided_slice(x, [0], [8], [2], [-2]).numpy().tolist() == [8, 6, 4]


def test_unique_takes_variables_that_ask_for_gradients(variable):
    x = variable([2.5, -1.0, 2.5, 0.0])
    values, positions, counts = L.unique_with_counts(x * x)
    assert values.numpy().tolist() == [6.25, 1.0, 0.0]
    assert positions.numpy().tolist() == [0, 1, 0, 2]
    assert counts.numpy().tolist() == [2, 1, 1]
    assert values.stop_gradient


def test_places_of_a_resize_that_were_found_under_inference_mode_serve_for_training(variable):
    image = variable(np.arange(9.0).reshape(1, 1, 3, 3))
    with torch.inference_mode():
        L.resize_nearest(variable(np.ones((1, 1, 3, 3))), [7, 7])
    L.reduce_sum(L.resize_nearest(image, [7, 7])).backward()
    assert image.gradient().sum() == 49


@pytest.mark.parametrize("dtype", ["int64", "bool", "int32", "float32", "float64"])
def test_where_takes_numbers_as_conditions(variable, dtype):
    assert L.where(variable([[0, 2], [1, 0]], dtype)).numpy().tolist() == [[0, 1], [1, 0]]
