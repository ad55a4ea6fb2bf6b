"""Normalization layers. B batch, C channels, S the sizes behind them.

May import: torch, errors, core_avx, layers, initializer, param_attr.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from refluid.errors import RefluidWarning
from refluid.paddle.fluid.core_avx.ops import norm
from refluid.paddle.fluid.core_avx.ops.activation import check_act
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn.argument import one_of, positive
from refluid.paddle.fluid.dygraph.nn.parameter import Registered, needed_bias, needed_weight
from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.initializer import Constant
from refluid.paddle.fluid.param_attr import ParamAttr

__all__ = ["BatchNorm", "GroupNorm", "InstanceNorm", "LayerNorm"]


class BatchNorm(Layer):
    """Normalize each channel over the batch, and keep moving statistics for evaluation.

    Same as Paddle 1.8: `moving = momentum * moving + (1 - momentum) * batch`, with the population
    variance. The statistics are parameters that are not trained. Which ones normalize follows
    `train()` and `eval()` only, whatever `is_test` says.

    Args:
        num_channels: C of the input.
        act: name of an activation.
        is_test: accepted for compatibility.
        momentum: share that the moving statistics keep at each step.
        epsilon: added to the variance, up to 0.001.
        param_attr: attributes of the weight [C], which starts from 1.
        bias_attr: attributes of the bias [C].
        dtype: element type; parameters of "float16" are kept as float32.
        data_layout: "NCHW" or "NHWC".
        in_place: accepted for compatibility.
        moving_mean_name: name of the moving mean.
        moving_variance_name: name of the moving variance.
        do_model_average_for_mean_and_var: accepted for compatibility.
        use_global_stats: normalize by the moving statistics while training too.
        trainable_statistics: normalize by the batch's statistics while evaluating too.

    Raises:
        AssertionError: `param_attr` or `bias_attr` is False.
    """

    weight: Any = Registered()
    bias: Any = Registered()
    _mean: Any = Registered()
    _variance: Any = Registered()

    def __init__(
        self,
        num_channels: int,
        act: str | None = None,
        is_test: bool = False,
        momentum: float = 0.9,
        epsilon: float = 1e-05,
        param_attr: Any = None,
        bias_attr: Any = None,
        dtype: str = "float32",
        data_layout: str = "NCHW",
        in_place: bool = False,
        moving_mean_name: str | None = None,
        moving_variance_name: str | None = None,
        do_model_average_for_mean_and_var: bool = True,
        use_global_stats: bool = False,
        trainable_statistics: bool = False,
    ) -> None:
        super().__init__()
        self._param_attr, self._bias_attr = param_attr, bias_attr
        self._act = check_act(act)
        self._dtype = "float32" if dtype == "float16" else dtype
        num_channels = positive(num_channels, "num_channels")
        self.weight = needed_weight(self, [num_channels], param_attr, self._dtype, Constant(1.0))
        self.bias = needed_bias(self, [num_channels], bias_attr, self._dtype)
        frozen = use_global_stats and getattr(param_attr, "learning_rate", None) == 0.0
        self.weight.stop_gradient = self.bias.stop_gradient = frozen
        average = do_model_average_for_mean_and_var
        self._mean = self._statistic(moving_mean_name, 0.0, num_channels, average)
        self._variance = self._statistic(moving_variance_name, 1.0, num_channels, average)
        self._in_place = in_place
        self._data_layout = data_layout
        self._momentum = momentum
        self._epsilon = epsilon
        self._is_test = is_test
        self._fuse_with_relu = False
        self._use_global_stats = use_global_stats
        self._trainable_statistics = trainable_statistics

    def _statistic(
        self, name: str | None, value: float, num_channels: int, do_model_average: bool
    ) -> ParamBase:
        attr = ParamAttr(
            name=name,
            initializer=Constant(value),
            trainable=False,
            do_model_average=do_model_average,
        )
        return needed_weight(self, [num_channels], attr, self._dtype)

    def forward(self, input: VarBase) -> VarBase:
        """Normalize `input` [B, C], or [B, C, S...] with up to three sizes."""
        by_batch = (self.training or self._trainable_statistics) and not self._use_global_stats
        return norm.batch_norm(
            input, self.weight, self.bias, self._mean, self._variance, self._momentum,
            self._epsilon, by_batch, self._data_layout, self._act,
        )  # fmt: skip


class LayerNorm(Layer):
    """Normalize over the last dimensions. Same as Paddle 1.8.

    Args:
        normalized_shape: the sizes of the dimensions to normalize over, or of the last one.
        scale: multiply by a weight.
        shift: add a bias.
        epsilon: added to the variance, up to 0.001.
        param_attr: attributes of the weight, flat, which starts from 1.
        bias_attr: attributes of the bias, flat.
        act: name of an activation.
        dtype: element type.

    Raises:
        AssertionError: `bias_attr` is False although `shift` is True.
    """

    weight: Any = Registered()
    bias: Any = Registered()

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        scale: bool = True,
        shift: bool = True,
        epsilon: float = 1e-05,
        param_attr: Any = None,
        bias_attr: Any = None,
        act: str | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        sizes: Any = normalized_shape
        if hasattr(normalized_shape, "__index__"):
            sizes = [normalized_shape]
        if not isinstance(sizes, (list, tuple)) or not all(hasattr(n, "__index__") for n in sizes):
            raise TypeError(
                f"`normalized_shape` must be an int or a list of ints, but received "
                f"{normalized_shape!r}."
            )
        self._normalized_shape = [int(n) for n in sizes]
        self._begin_norm_axis = 1
        self._scale, self._shift = scale, shift
        self._epsilon = epsilon
        self._param_attr, self._bias_attr = param_attr, bias_attr
        self._act = check_act(act)
        self._dtype = dtype
        shape = [math.prod(self._normalized_shape)]
        self.weight = self.bias = None
        if scale:
            self.weight = self.create_parameter(
                shape, param_attr, dtype, default_initializer=Constant(1.0)
            )
        elif param_attr:
            _warn_unused("param_attr", "scale")
        if shift:
            self.bias = needed_bias(self, shape, bias_attr, dtype)
        elif bias_attr:
            _warn_unused("bias_attr", "shift")

    def forward(self, input: VarBase) -> VarBase:
        """Normalize `input` [..., normalized_shape].

        Raises:
            ValueError: the last dimensions of the input are others.
        """
        shape = list(input.shape) if isinstance(input, Tensor) else self._normalized_shape
        begin = len(shape) - len(self._normalized_shape)
        if begin < 0 or shape[begin:] != self._normalized_shape:
            raise ValueError(
                f"LayerNorm: `input` must end in the dimensions {self._normalized_shape}, but "
                f"received shape {shape}."
            )
        if begin != self._begin_norm_axis:
            self._begin_norm_axis = begin
        return norm.layer_norm(input, self.weight, self.bias, begin, self._epsilon, self._act)


class GroupNorm(Layer):
    """Normalize groups of channels of each sample by themselves.

    Same as Paddle 1.8: without `param_attr` there is no weight, without `bias_attr` no bias.

    Args:
        channels: C of the input.
        groups: number of groups.
        epsilon: added to the variance.
        param_attr: attributes of the weight [C], which starts from 1; None for none.
        bias_attr: attributes of the bias [C]; None for none.
        act: name of an activation.
        data_layout: must be "NCHW".
        dtype: element type.

    Raises:
        ValueError: `data_layout` is another.
    """

    weight: Any = Registered()
    bias: Any = Registered()

    def __init__(
        self,
        channels: int,
        groups: int,
        epsilon: float = 1e-05,
        param_attr: Any = None,
        bias_attr: Any = None,
        act: str | None = None,
        data_layout: str = "NCHW",
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        one_of(data_layout, ("NCHW",), "data_layout")
        self._param_attr, self._bias_attr = param_attr, bias_attr
        self._epsilon = epsilon
        self._channels, self._groups = positive(channels, "channels"), groups
        self._act = check_act(act)
        self._dtype = dtype
        self.weight = self.create_parameter(
            [channels], param_attr or False, dtype, default_initializer=Constant(1.0)
        )
        self.bias = self.create_parameter([channels], bias_attr or False, dtype, is_bias=True)

    def forward(self, input: VarBase) -> VarBase:
        """Normalize `input` [B, C, S...]."""
        return norm.group_norm(
            input, self.weight, self.bias, self._epsilon, self._groups, self._act
        )


class InstanceNorm(Layer):
    """Normalize each channel of each sample by itself. Same as Paddle 1.8.

    Args:
        num_channels: C of the input.
        epsilon: added to the variance, up to 0.001.
        param_attr: attributes of the weight [C], which is called `scale` and starts from 1.
        bias_attr: attributes of the bias [C].
        dtype: element type.

    Raises:
        AssertionError: `param_attr` or `bias_attr` is False.
    """

    scale: Any = Registered()
    bias: Any = Registered()

    def __init__(
        self,
        num_channels: int,
        epsilon: float = 1e-05,
        param_attr: Any = None,
        bias_attr: Any = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        self._epsilon = epsilon
        self._param_attr, self._bias_attr = param_attr, bias_attr
        self._dtype = dtype
        num_channels = positive(num_channels, "num_channels")
        self.scale = needed_weight(self, [num_channels], param_attr, dtype, Constant(1.0))
        self.bias = needed_bias(self, [num_channels], bias_attr, dtype)

    def forward(self, input: VarBase) -> VarBase:
        """Normalize `input` [B, C], or [B, C, S...] with up to three sizes."""
        return norm.instance_norm(input, self.scale, self.bias, self._epsilon)


def _warn_unused(attr: str, switch: str) -> None:
    warnings.warn(
        f"LayerNorm: `{attr}` has no effect because `{switch}` is False.",
        RefluidWarning,
        stacklevel=3,
    )
