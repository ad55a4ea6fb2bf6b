"""Pooling follows Paddle's rules for windows, written here a second time in NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.ops.pool import pool2d, pool3d

LEAST = np.finfo("float32").min


def windows(size, window, stride, padding, ceil_mode):
    """Yield the part of an axis that each window covers; the part may be empty or negative."""
    before, after = padding
    room = size + before + after - window + (stride - 1 if ceil_mode else 0)
    for k in range(room // stride + 1):
        start = k * stride - before
        yield max(start, 0), min(start + window, size)


def reference(x, pool_size, pool_type, stride, padding, ceil_mode, exclusive):
    axes = [
        list(windows(*axis, ceil_mode))
        for axis in zip(x.shape[2:], pool_size, stride, padding, strict=True)
    ]
    out = np.empty((*x.shape[:2], *map(len, axes)), "float32")
    for place in itertools.product(*[range(len(axis)) for axis in axes]):
        parts = [axis[k] for axis, k in zip(axes, place, strict=True)]
        values = x[(..., *[slice(a, max(a, b)) for a, b in parts])].reshape(*x.shape[:2], -1)
        if pool_type == "max":
            value = values.max(-1, initial=LEAST)
        else:
            number = np.prod([b - a for a, b in parts]) if exclusive else np.prod(pool_size)
            with np.errstate(invalid="ignore"):
                value = values.sum(-1) / np.float32(number)
        out[(..., *place)] = value
    return out


@pytest.mark.parametrize("window", [1, 2, 3, 5])
@pytest.mark.parametrize(("pool_type", "exclusive"), [("max", True), ("avg", True), ("avg", False)])
def test_every_window_holds_what_paddle_puts_into_it(
    numbers, variable, pool_type, exclusive, window
):
    x = numbers(1, 1, 2, 5, 6)
    for stride, padding, ceil_mode in itertools.product(
        [1, 2, 3], [(0, 0), (1, 1), (2, 2), (0, 1), (2, 0), (3, 3)], [False, True]
    ):
        args = [window, window], pool_type, [stride, stride]
        ours = pool2d(variable(x), *args, [*padding, *padding], False, ceil_mode, exclusive)
        expected = reference(x, *args, [padding, padding], ceil_mode, exclusive)
        np.testing.assert_allclose(
            ours.numpy(), expected, 1e-5, 1e-6, err_msg=f"{stride} {padding} {ceil_mode}"
        )


@pytest.mark.parametrize("pool_type", ["max", "avg"])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("pads", [[(0, 0)] * 3, [(1, 1)] * 3, [(1, 0), (0, 1), (1, 1)]])
def test_volumes_are_pooled_alike(numbers, variable, pool_type, ceil_mode, pads):
    x = numbers(2, 1, 2, 4, 7, 3)
    padding = [p for pair in pads for p in pair]
    ours = pool3d(variable(x), [2, 2, 2], pool_type, [3, 3, 2], padding, False, ceil_mode, True)
    expected = reference(x, [2, 2, 2], pool_type, [3, 3, 2], pads, ceil_mode, True)
    np.testing.assert_allclose(ours.numpy(), expected, 1e-5, 1e-6)


def test_same_padding_gives_one_window_for_each_stride(numbers, variable):
    out = pool2d(
        variable(numbers(1, 1, 1, 5, 6)), [3, 2], "avg", [2, 2], "SAME", False, False, True
    )
    assert out.shape == [1, 1, 3, 3]


def test_the_gradient_of_a_maximum_goes_to_the_first_of_equals(variable):
    x = variable(np.ones((1, 1, 2, 2)), "float32")
    pool2d(x, [2, 2], "max", [2, 2], [0, 0], False, False, True).backward()
    assert x.gradient().tolist() == [[[[1, 0], [0, 0]]]]


def test_windows_without_elements_have_no_gradient(numbers, variable):
    x = variable(numbers(1, 1, 1, 6, 6))
    pool2d(x, [2, 2], "max", [3, 3], [0, 0], False, True, True).backward()
    assert x.gradient().sum() == 4


def test_a_global_window_covers_the_plane(numbers, variable):
    x = numbers(3, 2, 3, 4, 5)
    out = pool2d(variable(x), [-1, -1], "avg", [1, 1], [1, 1], True, False, True)
    np.testing.assert_allclose(out.numpy(), x.mean((2, 3), keepdims=True), 1e-5, 1e-6)


@pytest.mark.parametrize("padding", [[1, 1], [1, 0, 0, 1]])
def test_channels_may_stand_last(numbers, variable, padding):
    x = numbers(4, 1, 5, 6, 2)
    args = [2, 2], "max", [2, 2], padding, False, True, True
    last = pool2d(variable(x), *args, "NHWC").numpy()
    first = pool2d(variable(x.transpose(0, 3, 1, 2)), *args).numpy()
    np.testing.assert_array_equal(last, first.transpose(0, 2, 3, 1))


def test_windows_larger_than_the_input_are_refused(numbers, variable):
    with pytest.raises(EnforceNotMet, match=r"`pool_size` must fit .* \[9, 9\]"):
        pool2d(variable(numbers(1, 1, 1, 5, 6)), [9, 9], "max", [1, 1], [0, 0], False, False, True)


def test_another_rank_is_refused(numbers, variable):
    with pytest.raises(EnforceNotMet, match="`input` must have 4 dimensions"):
        pool2d(variable(numbers(1, 3, 4)), [2, 2], "max", [1, 1], [0, 0], False, False, True)
