"""Normalizations. Those with parameters make new ones at each call. B batch, C channels.

May import: torch, core_avx, initializer, layer_helper, layers.nn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator, optional
from refluid.paddle.fluid.core_avx.ops import norm
from refluid.paddle.fluid.core_avx.ops.activation import activate, check_act
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.nn.argument import one_of
from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.initializer import Constant, Normal
from refluid.paddle.fluid.layer_helper import LayerHelper
from refluid.paddle.fluid.layers.argument import axis_of
from refluid.paddle.fluid.layers.nn.activation import elu, leaky_relu
from refluid.paddle.fluid.layers.nn.connect import check_variable
from refluid.paddle.fluid.param_attr import ParamAttr

__all__ = [
    "affine_channel",
    "batch_norm",
    "data_norm",
    "group_norm",
    "inplace_abn",
    "instance_norm",
    "l2_normalize",
    "lrn",
    "spectral_norm",
]


def batch_norm(
    input: VarBase,
    act: str | None = None,
    is_test: bool = False,
    momentum: float = 0.9,
    epsilon: float = 1e-05,
    param_attr: Any = None,
    bias_attr: Any = None,
    data_layout: str = "NCHW",
    in_place: bool = False,
    name: str | None = None,
    moving_mean_name: str | None = None,
    moving_variance_name: str | None = None,
    do_model_average_for_mean_and_var: bool = True,
    use_global_stats: bool = False,
) -> VarBase:
    """Normalize each channel over the batch, with new parameters.

    Differs from Paddle: `is_test`, an error in its dynamic graph, normalizes by the moving
    statistics, which have just been made: mean 0 and variance 1.

    Args:
        input: float [B, C], or [B, C, ...] with up to three sizes, or channels last.
        act: name of an activation.
        is_test: normalize by the moving statistics.
        momentum: share that the moving statistics keep.
        epsilon: added to the variance, up to 0.001.
        param_attr: attributes of the weight [C], which starts from 1.
        bias_attr: attributes of the bias [C].
        data_layout: "NCHW" or "NHWC".
        in_place: accepted for compatibility.
        name: what the parameters' names begin with.
        moving_mean_name: name of the moving mean.
        moving_variance_name: name of the moving variance.
        do_model_average_for_mean_and_var: accepted for compatibility.
        use_global_stats: as `is_test`.

    Raises:
        AssertionError: `bias_attr` is False.
    """
    weight, bias, mean, variance = _batch_norm_parameters(
        "batch_norm", input, param_attr, bias_attr, data_layout, name, moving_mean_name,
        moving_variance_name, do_model_average_for_mean_and_var,
    )  # fmt: skip
    training = not (is_test or use_global_stats)
    return norm.batch_norm(
        input, weight, bias, mean, variance, momentum, epsilon, training, data_layout,
        check_act(act),
    )  # fmt: skip


def inplace_abn(
    input: VarBase,
    act: str | None = None,
    is_test: bool = False,
    momentum: float = 0.9,
    epsilon: float = 1e-05,
    param_attr: Any = None,
    bias_attr: Any = None,
    data_layout: str = "NCHW",
    name: str | None = None,
    moving_mean_name: str | None = None,
    moving_variance_name: str | None = None,
    do_model_average_for_mean_and_var: bool = True,
    use_global_stats: bool = False,
    act_alpha: float = 1.0,
) -> VarBase:
    """Normalize each channel over the batch and apply an activation.

    Same as Paddle 1.8: the input is overwritten with the result. The activation is None,
    "identity", "leaky_relu" or "elu", `act_alpha` its alpha; all other arguments are those of
    `batch_norm`.

    Raises:
        AssertionError: `act` is none of these, or `bias_attr` is False.
    """
    assert act in (None, "identity", "leaky_relu", "elu"), (
        f'inplace_abn: `act` must be None, "identity", "leaky_relu" or "elu", not {act!r}.'
    )
    weight, bias, mean, variance = _batch_norm_parameters(
        "inplace_abn", input, param_attr, bias_attr, data_layout, name, moving_mean_name,
        moving_variance_name, do_model_average_for_mean_and_var,
    )  # fmt: skip
    training = not (is_test or use_global_stats)
    # a copy: the backward pass needs the values that are about to be overwritten
    x = input.astype(input.dtype)
    result = norm.batch_norm(
        x, weight, bias, mean, variance, momentum, epsilon, training, data_layout
    )
    if act == "leaky_relu":
        result = leaky_relu(result, act_alpha)
    elif act == "elu":
        result = elu(result, act_alpha)
    input.data.copy_(result.data)
    return result


def _batch_norm_parameters(
    op_type: str,
    input: VarBase,
    param_attr: Any,
    bias_attr: Any,
    data_layout: str,
    name: str | None,
    mean_name: str | None,
    variance_name: str | None,
    do_model_average: bool,
) -> tuple[ParamBase, ParamBase, ParamBase, ParamBase]:
    """Make weight, bias, moving mean and moving variance."""
    assert bias_attr is not False, f"{op_type}: `bias_attr` must not be False."
    one_of(data_layout, ("NCHW", "NHWC"), "data_layout")
    shape = check_variable(op_type, "input", input).shape
    helper = LayerHelper(op_type, name)
    size = [shape[1 if data_layout == "NCHW" else -1]]

    def moving(given: str | None, start: float) -> ParamBase:
        attr = ParamAttr(given, Constant(start), trainable=False, do_model_average=do_model_average)
        return helper.create_weight(attr, size, input.dtype)

    return (
        helper.create_weight(param_attr, size, input.dtype, Constant(1.0)),
        helper.create_weight(bias_attr, size, input.dtype, is_bias=True),
        moving(mean_name, 0.0),
        moving(variance_name, 1.0),
    )


def instance_norm(
    input: VarBase,
    epsilon: float = 1e-05,
    param_attr: Any = None,
    bias_attr: Any = None,
    name: str | None = None,
) -> VarBase:
    """Normalize each channel of each sample, with new parameters.

    Same as Paddle 1.8.

    Args:
        input: float [B, C, ...].
        epsilon: added to the variance.
        param_attr: attributes of the weight [C], which starts from 1.
        bias_attr: attributes of the bias [C].
        name: what the parameters' names begin with.

    Raises:
        AssertionError: `bias_attr` is False.
    """
    assert bias_attr is not False, "instance_norm: `bias_attr` must not be False."
    size = [check_variable("instance_norm", "input", input).shape[1]]
    helper = LayerHelper("instance_norm", name)
    weight = helper.create_weight(param_attr, size, input.dtype, Constant(1.0))
    bias = helper.create_parameter(bias_attr, size, input.dtype, is_bias=True)
    return norm.instance_norm(input, weight, bias, epsilon)


def group_norm(
    input: VarBase,
    groups: int,
    epsilon: float = 1e-05,
    param_attr: Any = None,
    bias_attr: Any = None,
    act: str | None = None,
    data_layout: str = "NCHW",
    name: str | None = None,
) -> VarBase:
    """Normalize groups of channels of each sample.

    Same as Paddle 1.8: there is a weight or bias only where attributes are given.

    Args:
        input: float [B, C, ...], or channels last with "NHWC".
        groups: how many.
        epsilon: added to the variance.
        param_attr: attributes of the weight [C].
        bias_attr: attributes of the bias [C].
        act: name of an activation.
        data_layout: "NCHW" or "NHWC".
        name: what the parameters' names begin with.
    """
    one_of(data_layout, ("NCHW", "NHWC"), "data_layout")
    shape = check_variable("group_norm", "input", input).shape
    size = [shape[1 if data_layout == "NCHW" else -1]]
    helper = LayerHelper("group_norm", name)
    weight = bias = None
    if param_attr:
        weight = helper.create_weight(param_attr, size, input.dtype, Constant(1.0))
    if bias_attr:
        bias = helper.create_parameter(bias_attr, size, input.dtype, is_bias=True)
    return norm.group_norm(input, weight, bias, epsilon, groups, check_act(act), data_layout)


def spectral_norm(
    weight: VarBase, dim: int = 0, power_iters: int = 1, eps: float = 1e-12, name: str | None = None
) -> VarBase:
    """Divide a weight by its largest singular value, estimated from random vectors.

    Same as Paddle 1.8.

    Args:
        weight: float, at least two dimensions.
        dim: the dimension of the matrix's rows; all others are its columns.
        power_iters: how often the estimate is improved.
        eps: added to the length of vectors.
        name: what the parameters' names begin with.
    """
    shape = check_variable("spectral_norm", "weight", weight).shape
    rows = shape[axis_of("spectral_norm", "dim", dim, len(shape))]
    helper = LayerHelper("spectral_norm", name)
    start = Normal(0.0, 1.0)
    left = helper.create_weight(ParamAttr(), [rows], weight.dtype, start)
    right = helper.create_weight(ParamAttr(), [weight.numel() // rows], weight.dtype, start)
    left.stop_gradient = right.stop_gradient = True
    return norm.spectral_norm(weight, left, right, dim, power_iters, eps)


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
    mean = torch.div(torch.detach(total), torch.detach(size))
    scale = torch.sqrt(torch.div(torch.detach(size), torch.detach(squares)))
    result = torch.mul(torch.sub(input, mean), scale)
    if scale_and_shift:
        result = torch.add(torch.mul(result, scale_and_shift[0]), scale_and_shift[1])
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
    squares = torch.sum(torch.mul(x, x), dim, keepdim=True)
    return torch.div(x, torch.sqrt(torch.add(squares, epsilon)))


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


@operator("affine_channel", x=FLOAT, scale=optional(FLOAT), bias=optional(FLOAT))
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
    return activate(torch.add(scaled, torch.reshape(bias, shape)), check_act(act))
