"""Products with weights. May import: torch, operator, activation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator, optional
from refluid.paddle.fluid.core_avx.ops.activation import activate

__all__ = ["bilinear_tensor_product", "linear"]


@operator("linear", direct=True, input=FLOAT, weight=FLOAT, bias=optional(FLOAT))
def linear(input: Tensor, weight: Tensor, bias: Tensor | None, act: str | None = None) -> Tensor:
    """Multiply: input [..., N], weight [N, M], bias [M] or None; result [..., M]."""
    try:
        if bias is not None and input.dim() == 2:
            # what torch.nn.functional.linear comes to, without transposing the weight twice
            out = torch.addmm(bias, input, weight)
        else:
            out = functional.linear(input, weight.t(), bias)
    except RuntimeError:
        if input.dim() == 0 or input.size(-1) != weight.size(0):
            raise EnforceNotMet(
                f"linear: the last dimension of `input` must be {weight.size(0)}, as the weight "
                f"{list(weight.size())} says, but received shape {list(input.size())}."
            ) from None
        raise
    return out if act is None else activate(out, act, fresh=True)


@operator(
    "bilinear_tensor_product", direct=True, x=FLOAT, y=FLOAT, weight=FLOAT, bias=optional(FLOAT)
)
def bilinear_tensor_product(
    x: Tensor, y: Tensor, weight: Tensor, bias: Tensor | None, act: str | None = None
) -> Tensor:
    """Multiply pairs of rows: out[b, k] = x[b] W[k] y[b] + bias[k].

    Args:
        x: float [B, N].
        y: float [B, M].
        weight: [K, N, M].
        bias: [1, K] or None.
        act: name of an activation, or None.

    Returns:
        [B, K].
    """
    # torch takes more dimensions too, and finds out all else itself
    if x.dim() != 2 or y.dim() != 2:
        _check_pairs(x, y, weight)
    try:
        flat = None if bias is None else torch.reshape(bias, (-1,))
        out = torch.bilinear(x, y, weight, flat)
    except RuntimeError:
        _check_pairs(x, y, weight)
        raise
    return out if act is None else activate(out, act, fresh=True)


def _check_pairs(x: Tensor, y: Tensor, weight: Tensor) -> None:
    sizes = list(weight.size())
    for name, value, size in (("x", x, sizes[1]), ("y", y, sizes[2])):
        if not (value.dim() == 2 and value.size(1) == size):
            raise EnforceNotMet(
                f"bilinear_tensor_product: `{name}` must have shape [batch, {size}], as the weight "
                f"{sizes} says, but received shape {list(value.size())}."
            )
    if x.size(0) != y.size(0):
        raise EnforceNotMet(
            f"bilinear_tensor_product: `x` and `y` must have as many rows, but received shapes "
            f"{list(x.size())} and {list(y.size())}."
        )
