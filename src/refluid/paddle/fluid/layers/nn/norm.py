"""Normalizations. Those with parameters make new ones at each call. B batch, C channels.

May import: torch, core_avx, initializer, layer_helper, layers.nn.
"""

from __future__ import annotations

from typing import Any

from refluid.paddle.fluid.core_avx.ops import norm
from refluid.paddle.fluid.core_avx.ops.activation import check_act
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
    "batch_norm",
    "group_norm",
    "inplace_abn",
    "instance_norm",
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
