"""ReLU and pooling behind it give torch's own gradients, and Paddle's where somebody looks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from refluid.paddle.fluid.core_avx.ops.conv import conv2d
from refluid.paddle.fluid.core_avx.ops.pool import pool2d

SIDE = 12


class Masked(TorchDispatchMode):
    """Counts the elements that a ReLU's backward pass goes through."""

    def __init__(self):
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten.threshold_backward.default:
            self.elements += args[0].numel()
        return function(*args, **(kwargs or {}))


def pooled(x, size=2, stride=2, padding=0):
    return pool2d(x, [size, size], "max", [stride, stride], [padding, padding], False, False, True)


def convolved(x, weight):
    return conv2d(x, weight, None, [1, 1], [1, 1], [1, 1], 1, "relu")


@pytest.fixture
def arrays(numbers):
    return numbers(1, 4, 3, SIDE, SIDE), numbers(2, 5, 3, 3, 3)


def by_torch(arrays, size=2, stride=2, padding=0):
    """Return torch's gradients of image, weight and the ReLU's result."""
    x, weight = (torch.from_numpy(a).requires_grad_() for a in arrays)
    image = x.contiguous(memory_format=torch.channels_last)
    rectified = functional.relu(functional.conv2d(image, weight, padding=1))
    rectified.retain_grad()
    out = functional.max_pool2d(rectified, size, stride, padding)
    (out * out.detach()).sum().backward()
    return x.grad, weight.grad, rectified.grad


def same(variable, expected):
    assert variable.gradient().tobytes() == np.ascontiguousarray(expected).tobytes()


@pytest.mark.parametrize(("size", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 1, 0)])
def test_the_gradients_are_torch_s_and_the_relu_reads_only_the_maxima(
    arrays, variable, size, stride, padding
):
    x, weight = map(variable, arrays)
    out = pooled(convolved(x, weight), size, stride, padding)
    loss = (out * out.detach()).sum()
    with Masked() as masked:
        loss.backward()
    assert masked.elements == out.numel()
    expected = by_torch(arrays, size, stride, padding)
    same(x, expected[0])
    same(weight, expected[1])


def test_a_result_that_is_still_held_gets_its_own_unmasked_gradient(arrays, variable):
    x, weight = map(variable, arrays)
    rectified = convolved(x, weight)
    out = pooled(rectified)
    (out * out.detach() + out).sum().backward()
    dead = (rectified.numpy() == 0) & (rectified.gradient() != 0)
    assert dead.any()


def test_two_users_of_one_result_add_their_gradients(arrays, variable):
    grads = []
    for held in (False, True):
        x, weight = map(variable, arrays)
        rectified = convolved(x, weight)
        out = pooled(rectified) + pooled(rectified, 4, 2, 1)
        keep = rectified if held else None
        del rectified
        loss = (out * out.detach()).sum()
        with Masked() as masked:
            loss.backward()
        assert masked.elements >= arrays[0][:, 0].size * 5
        grads.append([x.gradient(), weight.gradient()])
        del keep
    for one, other in zip(*grads, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nan_and_infinity_pass_as_they_do_in_torch(arrays, variable):
    arrays[0][0, 0, 3, 3] = np.nan
    arrays[0][1, 1, 5, 5] = np.inf
    x, weight = map(variable, arrays)
    out = pooled(convolved(x, weight))
    (out * out.detach()).sum().backward()
    expected = by_torch(arrays)
    np.testing.assert_array_equal(x.gradient(), expected[0])
    np.testing.assert_array_equal(weight.gradient(), expected[1])


def test_gradients_of_gradients_pass(arrays, variable):
    x, weight = map(variable, arrays)
    out = pooled(convolved(x, weight))
    (grad,) = torch.autograd.grad((out**2).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad((grad**2).sum(), x)
    y, w = (torch.from_numpy(a).requires_grad_() for a in arrays)
    plain = functional.max_pool2d(functional.relu(functional.conv2d(y, w, padding=1)), 2)
    (grad,) = torch.autograd.grad((plain**2).sum(), y, create_graph=True)
    (expected,) = torch.autograd.grad((grad**2).sum(), y)
    np.testing.assert_allclose(torch.Tensor.numpy(second), expected, 1e-4, 1e-4)


def test_the_pooling_keeps_the_relu_s_result_and_no_copy_of_it(arrays, variable):
    rectified = convolved(*map(variable, arrays))
    kept = pooled(rectified).grad_fn.saved_tensors[0]
    assert kept.data_ptr() == rectified.data_ptr()
