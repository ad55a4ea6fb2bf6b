"""ReLU, and the maximum pooling behind it, sharing one mask in the backward pass.

Of each window only the maximum gets a gradient, and that passes the ReLU if the maximum does. So
the pooling can apply the ReLU's mask to its own, smaller gradient, and the ReLU need not read and
write all of its own again. The gradient of the ReLU's result would then be masked too, which
Paddle's is not: it is done only when that result is no longer held by anybody who could look.

Source: measured in benchmarks/ (a third of the time of both backward passes).
May import: torch, function.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.function import Function

__all__ = ["max_pool2d_of_rectified", "rectify_"]

_pool = torch.ops.aten.max_pool2d_with_indices
_pool_backward = torch.ops.aten.max_pool2d_with_indices_backward
_mask = torch.ops.aten.threshold_backward


def rectify_(x: Tensor) -> Tensor:
    """Overwrite `x`, a fresh result that no backward pass needs, by max(x, 0)."""
    if x.dim() == 4 and x.requires_grad and x.is_cpu:
        return _Rectify.apply(x)
    return torch.relu_(x)


def max_pool2d_of_rectified(
    x: Tensor, size: list[int], stride: list[int], padding: list[int], ceil_mode: bool
) -> Tensor | None:
    """Pool `x` [B, C, H, W], which `rectify_` gave, or a view of it; None if it is neither.

    Args:
        x: float, channels-last.
        size: of the window; likewise `stride` and `padding`.
        stride: see `size`.
        padding: see `size`.
        ceil_mode: round the number of windows up.

    Returns:
        [B, C, H', W'], channels-last.
    """
    rectified = x if x._base is None else x._base
    if not isinstance(rectified.grad_fn, _Rectify._backward_cls):
        return None
    return _MaxPool.apply(x, weakref.ref(rectified), size, stride, padding, ceil_mode)


class _Rectify(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        ctx.save_for_backward(torch.relu_(x))
        return x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        # a sum of several gradients is another tensor, or a later version of this one
        if getattr(grad, "_rectified", None) == grad._version:
            return grad
        (result,) = ctx.saved_tensors
        return _mask(grad, result, 0)


class _MaxPool(Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        rectified: weakref.ref[Tensor],
        size: list[int],
        stride: list[int],
        padding: list[int],
        ceil_mode: bool,
    ) -> Tensor:
        result, index = _pool(x, size, stride, padding, [1, 1], ceil_mode)
        # detached: saved as it is, `x` would keep the rectified tensor alive; by torch's own
        # function, since a variable's method makes a copy
        ctx.save_for_backward(torch.detach(x), result, index)
        ctx.rectified = rectified
        ctx.window = size, stride, padding, [1, 1], ceil_mode
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, result, index = ctx.saved_tensors
        # a gradient laid out otherwise, as a reshape gives it, takes torch a slower way
        grad = grad.contiguous(memory_format=torch.channels_last)
        unseen = ctx.rectified() is None
        if unseen:
            grad = _mask(grad, result, 0)
        out = _pool_backward(grad, x, *ctx.window, index)
        if unseen:
            out._rectified = out._version
        return out, None, None, None, None, None
