"""Dividing by sums, norms and neighbours. B batch, C channels, H height, W width.

May import: torch, core_avx, initializer, layer_helper, layers.nn.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator, optional
from refluid.paddle.fluid.core_avx.ops.activation import activate, check_act
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.nn.argument import one_of
from refluid.paddle.fluid.initializer import Constant
from refluid.paddle.fluid.layer_helper import LayerHelper
from refluid.paddle.fluid.layers.argument import axis_of
from refluid.paddle.fluid.layers.nn.connect import check_variable
from refluid.paddle.fluid.param_attr import ParamAttr

__all__ = ["affine_channel", "data_norm", "l2_normalize", "lrn"]


def data_norm(
    input: VarBase,
    act: str | None = None,
    epsilon: float = 1e-05,
    param_attr: dict[str, float] | None = None,
    data_layout: str = "NCHW",
    in_place: bool = False,
    name: str | None = None,
    moving_mean_name: str | None = None,
    moving_variance_name: str | None = None,
    do_model_average_for_mean_and_var: bool = True,
    slot_dim: int = -1,
    sync_stats: bool = False,
    summary_decay_rate: float = 0.9999999,
    enable_scale_and_shift: bool = False,
) -> VarBase:
    """Normalize each column by running sums that are parameters.

    Same as Paddle 1.8 as far as the result goes: (x - sum / size) * sqrt(size / square sum).

    Args:
        input: float [B, C].
        act: name of an activation.
        epsilon: accepted for compatibility.
        param_attr: what the sums start from: "batch_size", "batch_sum", "batch_square", and
            "scale_w" and "bias".
        data_layout: "NCHW" or "NHWC".
        in_place: accepted for compatibility.
        name: what the parameters' names begin with; by default "dn".
        moving_mean_name: accepted for compatibility.
        moving_variance_name: accepted for compatibility.
        do_model_average_for_mean_and_var: accepted for compatibility.
        slot_dim: accepted for compatibility.
        sync_stats: accepted for compatibility.
        summary_decay_rate: accepted for compatibility.
        enable_scale_and_shift: multiply with a weight and add a bias too.
    """
    one_of(data_layout, ("NCHW", "NHWC"), "data_layout")
    size = [check_variable("data_norm", "input", input).shape[1 if data_layout == "NCHW" else -1]]
    start = param_attr if isinstance(param_attr, dict) else {}
    helper, prefix = LayerHelper("data_norm", name), "dn" if name is None else name
    wanted = [("batch_size", "batch_size", 1e4), ("batch_sum", "batch_sum", 0.0)]
    wanted.append(("batch_square_sum", "batch_square", 1e4))
    if enable_scale_and_shift:
        wanted += [("scale_w", "scale_w", 1.0), ("bias", "bias", 0.0)]
    parameters = []
    for suffix, key, default in wanted:
        first = Constant(float(start.get(key, default)))
        attr = ParamAttr(name=f"{prefix}.{suffix}", initializer=first)
        parameters.append(helper.create_weight(attr, size, input.dtype))
    batch, total, squares, *scale_and_shift = parameters
    return _normalize_by_sums(input, batch, total, squares, scale_and_shift, check_act(act))


@operator("data_norm", input=FLOAT, size=FLOAT, total=FLOAT, squares=FLOAT)
def _normalize_by_sums(
    input: Tensor,
    size: Tensor,
    total: Tensor,
    squares: Tensor,
    scale_and_shift: Sequence[Tensor],
    act: str | None,
) -> Tensor:
    mean = total.detach() / size.detach()
    scale = torch.sqrt(size.detach() / squares.detach())
    result = (input - mean) * scale
    if scale_and_shift:
        result = result * scale_and_shift[0] + scale_and_shift[1]
    return activate(result, act)


@operator("norm", x=FLOAT)
def l2_normalize(x: Tensor, axis: int, epsilon: float = 1e-12, name: str | None = None) -> Tensor:
    """Divide by the L2 norm along `axis`: x / sqrt(sum(x * x) + epsilon).

    Same as Paddle 1.8.

    Args:
        x: any shape; of a vector the only axis is taken.
        axis: which; None means 1.
        epsilon: added to the sum of squares.
        name: accepted for compatibility.
    """
    wanted = 0 if x.dim() == 1 else 1 if axis is None else axis
    dim = axis_of("l2_normalize", "axis", wanted, x.dim())
    return x / torch.sqrt((x * x).sum(dim, keepdim=True) + epsilon)


@operator("lrn", input=FLOAT)
def lrn(
    input: Tensor,
    n: int = 5,
    k: float = 1.0,
    alpha: float = 0.0001,
    beta: float = 0.75,
    name: str | None = None,
    data_format: str = "NCHW",
) -> Tensor:
    """Divide by (k + alpha * the sum of squares of n neighbouring channels) ** beta.

    Same as Paddle 1.8. Source: Krizhevsky et al. 2012.

    Args:
        input: float [B, C, H, W], or [B, H, W, C] with "NHWC".
        n: how many channels, an odd number.
        k: added to the sum.
        alpha: multiplies the sum.
        beta: exponent.
        name: accepted for compatibility.
        data_format: "NCHW" or "NHWC".

    Raises:
        ValueError: `input` has not four dimensions, or `data_format` is neither.
    """
    if input.dim() != 4:
        raise ValueError(f"lrn: `input` must have 4 dimensions, but received {list(input.size())}.")
    one_of(data_format, ("NCHW", "NHWC"), "data_format")
    if not (n > 0 and n % 2 == 1):
        raise EnforceNotMet(f"lrn: `n` must be an odd positive int, but received {n}.")
    x = torch.movedim(input, -1, 1) if data_format == "NHWC" else input
    # channels as the depth of a volume of one channel
    squares = functional.pad((x * x).unsqueeze(1), (0, 0, 0, 0, n // 2, n // 2))
    sums = functional.avg_pool3d(squares, (n, 1, 1), 1, divisor_override=1).squeeze(1)
    result = x * torch.pow(sums * alpha + k, -beta)
    return torch.movedim(result, 1, -1) if data_format == "NHWC" else result


@operator("affine_channel", direct=True, x=FLOAT, scale=optional(FLOAT), bias=optional(FLOAT))
def affine_channel(
    x: Tensor,
    scale: Tensor | None = None,
    bias: Tensor | None = None,
    data_layout: str = "NCHW",
    name: str | None = None,
    act: str | None = None,
) -> Tensor:
    """Multiply each channel by a number and add one.

    Same as Paddle 1.8.

    Args:
        x: float [B, C, H, W], or [B, H, W, C] with "NHWC".
        scale: float [C].
        bias: float [C].
        data_layout: "NCHW" or "NHWC".
        name: accepted for compatibility.
        act: name of an activation.
    """
    if scale is None or bias is None:
        raise EnforceNotMet("affine_channel: `scale` and `bias` must both be given.")
    shape = (-1,) if data_layout == "NHWC" else (-1, *[1] * (x.dim() - 2))
    scaled = torch.mul(x, torch.reshape(scale, shape))
    return activate(scaled + torch.reshape(bias, shape), check_act(act))
