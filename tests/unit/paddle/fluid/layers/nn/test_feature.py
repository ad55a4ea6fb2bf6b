"""Shows and clicks, and hashes: the numbers are those of Paddle 1.8.5."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.core_avx import EnforceNotMet

ROWS = [[0.6, 0.4, 0.3, 0.2], [2.0, 3.0, 4.0, 5.0]]
SHOWS = [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("use_cvm", "values", "grad"),
    [
        (
            True,
            [[0.4700036, -0.1335314, 0.3, 0.2], [1.0986123, 0.2876821, 4.0, 5.0]],
            [[1.0, 2.0, 0.6, 0.4], [3.0, 4.0, 8.0, 10.0]],
        ),
        (False, [[0.3, 0.2], [4.0, 5.0]], [[1.0, 2.0, 0.6, 0.4], [3.0, 4.0, 8.0, 10.0]]),
    ],
)
def test_the_gradient_of_shows_and_clicks_is_what_was_given(variable, use_cvm, values, grad):
    x, cvm = variable(ROWS), variable(SHOWS)
    out = L.continuous_value_model(x, cvm, use_cvm)
    L.reduce_sum(out * out).backward()
    np.testing.assert_allclose(out.numpy(), values, 1e-5)
    np.testing.assert_allclose(x.gradient(), grad, 1e-5)
    assert cvm.gradient() is None


@pytest.mark.parametrize("cvm", [[[1.0], [3.0]], [[1.0, 2.0]], [[1.0, 2.0, 3.0]] * 2])
def test_shows_and_clicks_of_another_shape_are_refused(variable, cvm):
    with pytest.raises(EnforceNotMet, match=r"`cvm` \[B, 2\]"):
        L.continuous_value_model(variable(ROWS), variable(cvm))


def numbers(size, dtype):
    return np.random.RandomState(size).randint(-5, 1000, (2, size)).astype(dtype)


@pytest.mark.parametrize(
    ("size", "dtype", "hashes"),
    [
        (1, "int64", [[10847, 12966], [55375, 79265]]),
        (1, "int32", [[84191, 66709], [1007, 92503]]),
        (2, "int64", [[47480, 35240], [28048, 43694]]),
        (2, "int32", [[55880, 94222], [2602, 68257]]),
        (3, "int32", [[66158, 14104], [91562, 39498]]),
        (5, "int64", [[95712, 62620], [32610, 55847]]),
        (8, "int32", [[3034, 86920], [37214, 24811]]),
        (9, "int64", [[99035, 44997], [3452, 11991]]),
        (9, "int32", [[65574, 50658], [31019, 26990]]),
        (33, "int64", [[78705, 69219], [39833, 498]]),
        (33, "int32", [[71383, 66778], [41651, 98665]]),
    ],
)
def test_hashes_are_those_of_paddle(variable, size, dtype, hashes):
    out = L.hash(variable(numbers(size, dtype), dtype), 100000, 2)
    assert out.shape == [2, 2, 1]
    assert out.stop_gradient
    assert out.numpy().dtype == dtype
    assert out.numpy()[:, :, 0].tolist() == hashes


def test_equal_rows_have_equal_hashes_whatever_stands_beside_them(variable):
    row = [7, 7, 7]
    out = L.hash(variable([row, [1, 2, 3], row], "int64"), 1000)
    assert out.numpy()[0, 0, 0] == out.numpy()[2, 0, 0] != out.numpy()[1, 0, 0]


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((2, 2, 3), {"hash_size": 10}, r"`input` must be \[B, D\]"),
        ((4,), {"hash_size": 10}, r"`input` must be \[B, D\]"),
        ((2, 2), {"hash_size": 0}, "must be positive"),
        ((2, 2), {"hash_size": 9, "num_hash": 0}, "must be positive"),
    ],
)
def test_hash_refuses(variable, shape, options, message):
    with pytest.raises(EnforceNotMet, match=message):
        L.hash(variable(np.ones(shape), "int64"), **options)
