"""Convolutions: padding of all forms, layouts, and the transposed ones as their adjoints."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx import EnforceNotMet
from refluid.paddle.fluid.core_avx.ops.conv import (
    conv2d,
    conv2d_transpose,
    conv3d,
    conv3d_transpose,
)

PADDINGS = [[0, 0], [1, 2], [1, 0, 2, 1], [0, 2, 1, 3], "VALID"]


def reference(x, weight, stride, pairs, dilation):
    """Convolve images [B, C, H, W] with [K, C, kh, kw] by loops over the windows."""
    x = np.pad(x, [(0, 0), (0, 0), *pairs])
    extents = [d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)]
    sizes = [(n - e) // s + 1 for n, e, s in zip(x.shape[2:], extents, stride, strict=True)]
    out = np.empty((x.shape[0], weight.shape[0], *sizes), "float32")
    for i, j in np.ndindex(*sizes):
        part = x[
            :,
            :,
            i * stride[0] : i * stride[0] + extents[0] : dilation[0],
            j * stride[1] : j * stride[1] + extents[1] : dilation[1],
        ]
        out[:, :, i, j] = np.tensordot(part, weight, ((1, 2, 3), (1, 2, 3)))
    return out


@pytest.mark.parametrize("stride", [[1, 1], [2, 1], [3, 2]])
@pytest.mark.parametrize("dilation", [[1, 1], [1, 2]])
@pytest.mark.parametrize("padding", [[0, 0], [1, 2], [1, 0, 2, 1]])
def test_images_are_convolved_window_by_window(numbers, variable, stride, dilation, padding):
    x, weight = numbers(1, 2, 4, 7, 8), numbers(2, 3, 4, 3, 2)
    out = conv2d(variable(x), variable(weight), None, stride, padding, dilation, 1)
    pairs = [(padding[0], padding[0]), (padding[1], padding[1])]
    if len(padding) == 4:
        pairs = [tuple(padding[:2]), tuple(padding[2:])]
    expected = reference(x, weight, stride, pairs, dilation)
    np.testing.assert_allclose(out.numpy(), expected, 1e-4, 1e-5)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_padding_gives_one_window_for_each_stride(numbers, variable, stride):
    x, weight = variable(numbers(1, 2, 4, 7, 8)), variable(numbers(2, 3, 4, 3, 2))
    out = conv2d(x, weight, None, [stride, stride], "SAME", [2, 2], 1)
    assert out.shape == [2, 3, -(-7 // stride), -(-8 // stride)]


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("stride", [[1, 1], [2, 3]])
@pytest.mark.parametrize("dilation", [[1, 1], [2, 1]])
def test_a_transposed_convolution_is_the_gradient_of_one(
    numbers, variable, padding, stride, dilation
):
    weight = variable(numbers(2, 3, 4, 3, 2))
    x = variable(numbers(1, 2, 4, 9, 8))
    y = conv2d(x, weight, None, stride, padding, dilation, 1)
    back = variable(numbers(3, *y.shape))
    out = conv2d_transpose(back, weight, None, stride, padding, dilation, 1, [9, 8])
    (y * back).backward()
    np.testing.assert_allclose(out.numpy(), x.gradient(), 1e-4, 1e-5)


@pytest.mark.parametrize("padding", [*PADDINGS, "SAME"])
def test_channels_may_stand_last(numbers, variable, padding):
    x = numbers(1, 2, 5, 6, 4)
    first = x.transpose(0, 3, 1, 2)
    for op, weight, more in (
        (conv2d, numbers(2, 3, 4, 3, 3), (None,)),
        (conv2d_transpose, numbers(2, 4, 3, 3, 3), (None, None)),
    ):
        args = variable(weight), None, [2, 1], padding, [1, 1], 1, *more
        last = op(variable(x), *args, "NHWC").numpy()
        expected = op(variable(first), *args).numpy().transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(last, expected)


def test_volumes_of_one_layer_are_images(numbers, variable):
    x, weight = numbers(1, 2, 4, 5, 6), numbers(2, 2, 4, 3, 3)
    flat = conv2d(variable(x), variable(weight), None, [1, 1], [1, 0], [1, 1], 1)
    deep = conv3d(
        variable(x[:, :, None]), variable(weight[:, :, None]), None, [1] * 3, [0, 1, 0], [1] * 3, 1
    )
    np.testing.assert_allclose(deep.numpy()[:, :, 0], flat.numpy(), 1e-5, 1e-6)


def test_transposed_volumes_of_one_layer_are_images(numbers, variable):
    x, weight = numbers(1, 2, 4, 5, 6), numbers(2, 4, 2, 3, 3)
    flat = conv2d_transpose(variable(x), variable(weight), None, [2, 1], [1, 0], [1, 1], 1)
    deep = conv3d_transpose(
        variable(x[:, :, None]),
        variable(weight[:, :, None]),
        None,
        [1, 2, 1],
        [0, 1, 0],
        [1] * 3,
        1,
    )
    np.testing.assert_allclose(deep.numpy()[:, :, 0], flat.numpy(), 1e-5, 1e-6)


@pytest.mark.parametrize("act", ["relu", "sigmoid", "tanh", "leaky_relu"])
def test_an_activation_in_place_leaves_the_gradients_right(numbers, variable, act):
    bias = numbers(3, 3)
    grads = []
    for x_first in (True, False):
        x, weight = variable(numbers(1, 2, 4, 5, 6)), variable(numbers(2, 3, 4, 3, 3))
        args = [1, 1], [0, 0], [1, 1], 1
        if x_first:
            conv2d(x, weight, variable(bias), *args, act).backward()
        else:
            from_plain = conv2d(x, weight, variable(bias), *args)
            conv2d(
                from_plain, variable(np.eye(3).reshape(3, 3, 1, 1), "float32"), None, *args, act
            ).backward()
        grads.append((x.gradient(), weight.gradient()))
    np.testing.assert_allclose(grads[0][0], grads[1][0], 1e-4, 1e-5)
    np.testing.assert_allclose(grads[0][1], grads[1][1], 1e-4, 1e-5)


@pytest.mark.parametrize("output_size", [[10, 13], [11, 15], [13, 14]])
def test_an_output_size_that_no_stride_reaches_is_refused(numbers, variable, output_size):
    x, weight = variable(numbers(1, 2, 4, 5, 6)), variable(numbers(2, 4, 2, 3, 3))
    with pytest.raises(EnforceNotMet, match=r"from \[11, 13\] to \[12, 14\]"):
        conv2d_transpose(x, weight, None, [2, 2], [0, 0], [1, 1], 1, output_size)


def test_what_does_not_fit_is_refused_by_name(numbers, variable):
    args = None, [1, 1], [0, 0], [1, 1]
    x = variable(numbers(1, 2, 4, 5, 6))
    with pytest.raises(EnforceNotMet, match=r"`input` must have 3 channels.*\[2, 4, 5, 6\]"):
        conv2d(x, variable(numbers(2, 2, 3, 3, 3)), *args, 1)
    with pytest.raises(EnforceNotMet, match=r"`input` must have 4 dimensions.*\[2, 4, 5\]"):
        conv2d(variable(numbers(1, 2, 4, 5)), variable(numbers(2, 2, 4, 3, 3)), *args, 1)
    with pytest.raises(EnforceNotMet, match=r"multiple of `groups`.*2 groups"):
        conv2d(x, variable(numbers(2, 3, 2, 3, 3)), *args, 2)
    with pytest.raises(EnforceNotMet, match="`input` float32"):
        conv2d(x, variable(numbers(2, 3, 4, 9, 9)), *args, 1)
