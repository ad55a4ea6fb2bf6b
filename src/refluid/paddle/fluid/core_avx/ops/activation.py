"""Activations by Paddle's operator name, with the defaults that `act="..."` implies; PRelu.

May import: torch, operator, rectify.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, describe, operator
from refluid.paddle.fluid.core_avx.ops.rectify import rectify_

__all__ = ["ACTIVATIONS", "activate", "check_act", "prelu"]

Activation = Callable[[Tensor], Tensor]


def _round(x: Tensor) -> Tensor:
    # halves away from zero, where torch goes to the even number
    whole = torch.trunc(x)
    return whole + torch.trunc((x - whole) * 2.0)


# Paddle cuts the exponents of a softmax at -64, so that no probability of float32 becomes 0
_LEAST = math.exp(-64.0)


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Return probabilities, none below exp(-64) of the largest, so that log and gradient exist."""
    result = torch.softmax(x, axis)
    # asking for the least value costs less than raising all
    if result.numel() and (result.is_cuda or float(torch.min(result.data)) < _LEAST):
        # .data: the backward pass shall use the raised probabilities too
        floor = torch.amax(result.data, axis, keepdim=True).mul_(_LEAST)
        torch.maximum(result.data, floor, out=result.data)
    return result


# hardtanh rather than clamp: no gradient flows at the bounds themselves
ACTIVATIONS: dict[str, Activation] = {
    "abs": torch.abs,
    "acos": torch.acos,
    "asin": torch.asin,
    "atan": torch.atan,
    "brelu": lambda x: functional.hardtanh(x, 0.0, 24.0),
    "ceil": torch.ceil,
    "cos": torch.cos,
    "cumsum": lambda x: torch.cumsum(x, -1),
    "elu": functional.elu,
    "erf": torch.erf,
    "exp": torch.exp,
    "floor": torch.floor,
    "gelu": functional.gelu,
    "hard_shrink": functional.hardshrink,
    "hard_sigmoid": lambda x: functional.hardtanh(x * 0.2 + 0.5, 0.0, 1.0),
    "hard_swish": lambda x: x * functional.hardtanh(x + 3.0, 0.0, 6.0) / 6.0,
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.02),
    "log": torch.log,
    "log1p": torch.log1p,
    "logsigmoid": functional.logsigmoid,
    "mish": functional.mish,
    "reciprocal": torch.reciprocal,
    "relu": torch.relu,
    "relu6": functional.relu6,
    "round": _round,
    "rsqrt": torch.rsqrt,
    "selu": functional.selu,
    "sigmoid": torch.sigmoid,
    "sign": torch.sign,
    "sin": torch.sin,
    "soft_relu": lambda x: torch.log1p(torch.exp(torch.clamp(x, -40.0, 40.0))),
    "softmax": softmax,
    "softplus": functional.softplus,
    "softshrink": functional.softshrink,
    "softsign": functional.softsign,
    "sqrt": torch.sqrt,
    "square": torch.square,
    "stanh": lambda x: 1.7159 * torch.tanh(0.67 * x),
    "swish": functional.silu,
    "tanh": torch.tanh,
    "tanh_shrink": functional.tanhshrink,
    "thresholded_relu": lambda x: functional.threshold(x, 1.0, 0.0),
}

# their backward passes need the result only, so that the input may be overwritten by it
_IN_PLACE: dict[str, Activation] = {
    "relu": rectify_,
    "sigmoid": torch.sigmoid_,
    "tanh": torch.tanh_,
}


def check_act(act: str | None) -> str | None:
    """Return `act` if it is None or the name of an activation.

    Raises:
        TypeError: it is not a string, such as the function `fluid.layers.relu` itself.
        ValueError: there is no activation of that name.
    """
    if act is None or (isinstance(act, str) and act in ACTIVATIONS):
        return act
    if not isinstance(act, str):
        raise TypeError(f"`act` must be the name of an activation, but received {describe(act)}.")
    raise ValueError(f"`act` must be one of {', '.join(ACTIVATIONS)}, but received {act!r}.")


def activate(x: Tensor, act: str | None, *, fresh: bool = False) -> Tensor:
    """Apply the activation `act` to a tensor.

    Args:
        x: any shape.
        act: a name of `ACTIVATIONS`, or None for no change.
        fresh: `x` was just computed by an operation whose backward pass does not need it, so that
            it may be overwritten.

    Returns:
        Shape and dtype of `x`.
    """
    if act is None:
        return x
    in_place = _IN_PLACE.get(act) if fresh else None
    if in_place is not None:
        return in_place(x)
    try:
        function = ACTIVATIONS[act]
    except (KeyError, TypeError):
        check_act(act)
        raise
    return function(x)


@operator("prelu", direct=True, input=FLOAT, weight=FLOAT)
def prelu(input: Tensor, weight: Tensor, mode: str) -> Tensor:
    """Multiply what is below 0 by a weight.

    Args:
        input: float [B, C, S...].
        weight: 1 element for the mode "all", C for "channel", those of a sample for "element".
        mode: one of these.

    Returns:
        Shape of `input`.
    """
    count = weight.numel()
    if mode == "element":
        sample = input.size()[1:]
        if count != sample.numel():
            raise EnforceNotMet(
                f"prelu: a sample of `input` must have {count} elements, as the weight has, but "
                f"received shape {list(input.size())}."
            )
        below = torch.mul(input, torch.reshape(weight, sample))
        return torch.where(torch.gt(input, 0), input, below)
    if mode == "channel" and count != (input.size(1) if input.dim() > 1 else 1):
        raise EnforceNotMet(
            f"prelu: `input` must have {count} channels, as the weight has elements, but received "
            f"shape {list(input.size())}."
        )
    if mode == "all" and count != 1:
        raise EnforceNotMet(
            f"prelu: `weight` must have 1 element for the mode 'all', but received {count}."
        )
    return torch.prelu(input, weight if weight.dim() == 1 else torch.reshape(weight, (-1,)))
