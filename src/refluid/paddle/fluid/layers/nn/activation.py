"""Activations, element by element or along one axis.

May import: torch, core_avx, layer_helper_base, layers.argument.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.dtype import to_torch_dtype
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.function import Function
from refluid.paddle.fluid.core_avx.operator import FLOAT, NUMBER, operator
from refluid.paddle.fluid.core_avx.ops.activation import softmax as _softmax
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layers.argument import as_variable, axis_of, number

__all__ = [
    "brelu",
    "elu",
    "hard_sigmoid",
    "hard_swish",
    "leaky_relu",
    "log",
    "log1p",
    "log_softmax",
    "maxout",
    "mish",
    "pow",
    "relu",
    "relu6",
    "selu",
    "sign",
    "soft_relu",
    "softmax",
    "stanh",
    "swish",
]

# Paddle cuts the exponents of a softmax here, so that no probability of float32 becomes 0
_LOWEST_EXPONENT = -64.0


@operator("relu", direct=True, x=FLOAT)
def relu(x: Tensor, name: str | None = None) -> Tensor:
    """Return max(x, 0); the gradient at 0 is 0. Same as Paddle 1.8."""
    return torch.relu(x)


@operator("brelu", direct=True, x=FLOAT)
def brelu(x: Tensor, t_min: float = 0.0, t_max: float = 24.0, name: str | None = None) -> Tensor:
    """Return x cut to [t_min, t_max]; the gradient at the ends is 0. Same as Paddle 1.8."""
    return functional.hardtanh(x, t_min, t_max)


@operator("relu6", direct=True, x=FLOAT)
def relu6(x: Tensor, threshold: float = 6.0, name: str | None = None) -> Tensor:
    """Return x cut to [0, threshold]; the gradient at the ends is 0. Same as Paddle 1.8."""
    return functional.hardtanh(x, 0.0, threshold)


@operator("elu", direct=True, x=FLOAT)
def elu(x: Tensor, alpha: float = 1.0, name: str | None = None) -> Tensor:
    """Return x above 0, alpha * (exp(x) - 1) below. Same as Paddle 1.8."""
    return functional.elu(x, alpha)


@operator("leaky_relu", direct=True, x=FLOAT)
def leaky_relu(x: Tensor, alpha: float = 0.02, name: str | None = None) -> Tensor:
    """Return x above 0, alpha * x below; the gradient at 0 is alpha. Same as Paddle 1.8."""
    return functional.leaky_relu(x, alpha)


@operator("selu", direct=True, x=FLOAT)
def selu(
    x: Tensor, scale: float | None = None, alpha: float | None = None, name: str | None = None
) -> Tensor:
    """Return scale * x above 0, scale * alpha * (exp(x) - 1) below.

    Same as Paddle 1.8. Source: Klambauer et al. 2017, with its two constants by default.
    """
    scale = 1.0507009873554805 if scale is None else scale
    alpha = 1.6732632423543772 if alpha is None else alpha
    return torch.mul(functional.elu(x, alpha), scale)


@operator("swish", direct=True, x=FLOAT)
def swish(x: Tensor, beta: float = 1.0, name: str | None = None) -> Tensor:
    """Return x * sigmoid(x). Same as Paddle 1.8, where `beta` has no effect either."""
    return functional.silu(x)


@operator("mish", direct=True, x=FLOAT)
def mish(x: Tensor, threshold: float = 20, name: str | None = None) -> Tensor:
    """Return x * tanh(softplus(x)), softplus being x above `threshold`. Same as Paddle 1.8."""
    return torch.mul(x, torch.tanh(functional.softplus(x, 1.0, threshold)))


@operator("hard_sigmoid", direct=True, x=FLOAT)
def hard_sigmoid(
    x: Tensor, slope: float = 0.2, offset: float = 0.5, name: str | None = None
) -> Tensor:
    """Return slope * x + offset cut to [0, 1]. Same as Paddle 1.8."""
    return functional.hardtanh(torch.mul(x, slope) + offset, 0.0, 1.0)


@operator("hard_swish", x=FLOAT)
def hard_swish(
    x: Tensor,
    threshold: float = 6.0,
    scale: float = 6.0,
    offset: float = 3.0,
    name: str | None = None,
) -> Tensor:
    """Return x * (x + offset cut to [0, threshold]) / scale. Same as Paddle 1.8."""
    return x * functional.hardtanh(x + offset, 0.0, threshold) / scale


@operator("stanh", direct=True, x=FLOAT)
def stanh(
    x: Tensor, scale_a: float = 0.67, scale_b: float = 1.7159, name: str | None = None
) -> Tensor:
    """Return scale_b * tanh(scale_a * x). Same as Paddle 1.8."""
    return torch.tanh(torch.mul(x, scale_a)) * scale_b


@operator("soft_relu", direct=True, x=FLOAT)
def soft_relu(x: Tensor, threshold: float = 40.0, name: str | None = None) -> Tensor:
    """Return log(1 + exp(x)), x being cut to [-threshold, threshold].

    Same as Paddle 1.8: the gradient is 0 where the result is above `threshold`.
    """
    return _SoftRelu.apply(x, threshold)


class _SoftRelu(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, threshold: float) -> Tensor:
        result = torch.clamp(x, -threshold, threshold).exp_().log1p_()
        ctx.save_for_backward(result)
        ctx.threshold = threshold
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (result,) = ctx.saved_tensors
        return grad * (1.0 - torch.exp(-result)) * (result < ctx.threshold), None


@operator("pow", direct=True, x=NUMBER)
def pow(x: Tensor, factor: float | Tensor = 1.0, name: str | None = None) -> Tensor:
    """Return x to the power of one number.

    Same as Paddle 1.8.

    Args:
        x: any shape.
        factor: the exponent, a number or a variable of shape [1].
        name: accepted for compatibility.
    """
    exponent = number(factor)
    if not torch.is_floating_point(x):
        return torch.pow(x.double(), exponent).type_as(x)
    return torch.pow(x, exponent)


def sign(x: VarBase | np.ndarray) -> VarBase:
    """Return -1, 0 or 1 for each element of a variable or array; the gradient is 0.

    Same as Paddle 1.8.
    """
    return _sign(as_variable(x))


@operator("sign", direct=True, x=FLOAT)
def _sign(x: Tensor) -> Tensor:
    return torch.sign(x)


@operator("log", direct=True, x=FLOAT)
def log(x: Tensor, name: str | None = None) -> Tensor:
    """Return the natural logarithm of x. Same as Paddle 1.8."""
    return torch.log(x)


@operator("log1p", direct=True, x=FLOAT)
def log1p(x: Tensor, out: Any = None, name: str | None = None) -> Tensor:
    """Return log(1 + x). Same as Paddle 1.8; `out` has no effect there either."""
    return torch.log1p(x)


@operator("softmax", direct=True, input=FLOAT)
def softmax(
    input: Tensor, use_cudnn: bool = False, name: str | None = None, axis: int = -1
) -> Tensor:
    """Return exp(x) divided by its sum along `axis`.

    Same as Paddle 1.8: no probability is below exp(-64) of the largest, so that its logarithm,
    and the gradient behind it, stay finite.

    Args:
        input: any shape.
        use_cudnn: accepted for compatibility.
        name: accepted for compatibility.
        axis: along which the results add up to 1.
    """
    axis = axis_of("softmax", "axis", axis, input.dim())
    return _softmax(input, axis)


def log_probabilities(x: Tensor, axis: int, dtype: torch.dtype | None = None) -> Tensor:
    """Return the logarithm of `softmax`, none lower than 64 below the highest."""
    result = torch.log_softmax(x, axis, dtype=dtype)
    if result.numel() and (result.is_cuda or float(torch.min(result.data)) < _LOWEST_EXPONENT):
        floor = torch.amax(result.data, axis, keepdim=True).add_(_LOWEST_EXPONENT)
        torch.maximum(result.data, floor, out=result.data)
    return result


@operator("log_softmax", direct=True, input=FLOAT)
def log_softmax(
    input: Tensor, axis: int | None = None, dtype: Any = None, name: str | None = None
) -> Tensor:
    """Return the logarithm of softmax along `axis`, by default the last.

    Same as Paddle 1.8.

    Args:
        input: any shape.
        axis: along which the probabilities add up to 1.
        dtype: element type to compute in; by default that of `input`.
        name: accepted for compatibility.
    """
    axis = axis_of("log_softmax", "axis", -1 if axis is None else axis, input.dim())
    return log_probabilities(input, axis, None if dtype is None else to_torch_dtype(dtype))


@operator("maxout", direct=True, x=FLOAT)
def maxout(x: Tensor, groups: int, name: str | None = None, axis: int = 1) -> Tensor:
    """Return the maximum over each group of `groups` neighbouring channels.

    Same as Paddle 1.8.

    Args:
        x: [B, C, H, W], or [B, H, W, C] with axis -1 or 3.
        groups: how many channels become one; C must be a multiple of it.
        name: accepted for compatibility.
        axis: where the channels are.
    """
    axis = axis_of("maxout", "axis", axis, x.dim())
    channels = x.size(axis)
    if not (groups > 1 and channels % groups == 0):
        raise EnforceNotMet(
            f"maxout: `groups` must be above 1 and divide the {channels} channels, but received "
            f"{groups}."
        )
    return torch.max(torch.unflatten(x, axis, (channels // groups, groups)), axis + 1)[0]
