"""Gradients written by hand are recorded as PyTorch's own functions are."""

from __future__ import annotations

import pytest
import torch

from refluid.paddle.fluid.core_avx.function import Function


class Doubled(Function):
    @staticmethod
    def forward(ctx, x, times):
        ctx.times = times
        return x * times

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.times * 10, None


def test_the_gradient_is_the_one_that_is_written():
    x = torch.ones(2, requires_grad=True)
    out = Doubled.apply(x, 2)
    assert out.tolist() == [2, 2]
    assert out.grad_fn.name() == "DoubledBackward"
    out.sum().backward()
    assert x.grad.tolist() == [20, 20]


def test_transforms_of_torch_func_are_refused():
    with pytest.raises(RuntimeError):
        torch.func.grad(lambda x: Doubled.apply(x, 2).sum())(torch.ones(2))
