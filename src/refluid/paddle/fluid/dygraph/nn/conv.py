"""Convolution layers. B batch, C channels, D depth, H height, W width, K filters.

May import: core_avx, layers, initializer.
"""

from __future__ import annotations

import math
from typing import Any

from refluid.paddle.fluid.core_avx.ops import conv
from refluid.paddle.fluid.core_avx.ops.activation import check_act
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn.argument import (
    check_use_cudnn,
    per_axis,
    positive,
    positive_per_axis,
)
from refluid.paddle.fluid.dygraph.nn.parameter import Registered, needed_weight
from refluid.paddle.fluid.initializer import Initializer, Normal

__all__ = ["Conv2D", "Conv3D", "Convolution"]


class Convolution(Layer):
    """What all convolutions share: their settings, a weight and a bias. Abstract."""

    weight: Any = Registered()
    bias: Any = Registered()

    _num_axes: int

    def _set_up(
        self,
        channels: tuple[int, int],
        filter_size: int | list[int],
        geometry: tuple[Any, Any, Any],
        groups: int | None,
        attrs: tuple[Any, Any],
        use_cudnn: bool,
        act: str | None,
        dtype: str,
    ) -> None:
        """Check the settings, keep them under Paddle's names, and make the parameters.

        Args:
            channels: `num_channels` and `num_filters`.
            filter_size: as given.
            geometry: `stride`, `padding` and `dilation` as given.
            groups: as given.
            attrs: `param_attr` and `bias_attr`.
            use_cudnn: as given.
            act: as given.
            dtype: as given.
        """
        axes = self._num_axes
        self._num_channels = positive(channels[0], "num_channels")
        self._num_filters = positive(channels[1], "num_filters")
        self._groups = groups if groups is None else positive(groups, "groups")
        self._stride = positive_per_axis(geometry[0], axes, "stride")
        self._padding = per_axis(geometry[1], axes, "padding")
        self._dilation = positive_per_axis(geometry[2], axes, "dilation")
        self._filter_size: Any = filter_size
        self._param_attr, self._bias_attr = attrs
        self._use_cudnn = check_use_cudnn(use_cudnn)
        self._act = check_act(act)
        self._dtype = dtype
        shape, initializer = self._weight_start()
        self.weight = needed_weight(self, shape, self._param_attr, dtype, initializer)
        self.bias = self.create_parameter([self._num_filters], attrs[1], dtype, is_bias=True)

    def _weight_start(self) -> tuple[list[int], Initializer | None]:
        """Return the shape of the weight, and where it starts unless at Xavier."""
        raise NotImplementedError


class _Forward(Convolution):
    """What the convolutions that are not transposed share."""

    def _weight_start(self) -> tuple[list[int], Initializer | None]:
        groups = self._groups or 1
        if self._num_channels % groups:
            raise ValueError(
                f"`num_channels` must be a multiple of `groups`, but received "
                f"{self._num_channels} and {groups}."
            )
        sizes = positive_per_axis(self._filter_size, self._num_axes, "filter_size")
        # the channels are not divided by the groups here, as in Paddle
        std = math.sqrt(2.0 / (math.prod(sizes) * self._num_channels))
        shape = [self._num_filters, self._num_channels // groups, *sizes]
        return shape, Normal(0.0, std, 0)


class Conv2D(_Forward):
    """Convolve images with `num_filters` filters.

    Same as Paddle 1.8; the weight starts normally distributed with standard deviation
    sqrt(2 / (kh * kw * num_channels)).

    Args:
        num_channels: C of the input.
        num_filters: K of the output.
        filter_size: kh, kw, or one number for both; likewise `stride`, `padding`, `dilation`.
        groups: divide channels and filters into so many groups that do not see each other.
        param_attr: attributes of the weight [K, C / groups, kh, kw].
        bias_attr: attributes of the bias [K]; False for none.
        use_cudnn: accepted for compatibility.
        act: name of an activation.
        dtype: element type.

    Raises:
        ValueError: a size is not an int or list of two, or `groups` does not divide the channels.
        AssertionError: `param_attr` is False.
    """

    _num_axes = 2

    def __init__(
        self,
        num_channels: int,
        num_filters: int,
        filter_size: int | list[int],
        stride: int | list[int] = 1,
        padding: int | list[int] = 0,
        dilation: int | list[int] = 1,
        groups: int | None = None,
        param_attr: Any = None,
        bias_attr: Any = None,
        use_cudnn: bool = True,
        act: str | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        self._set_up(
            (num_channels, num_filters), filter_size, (stride, padding, dilation), groups,
            (param_attr, bias_attr), use_cudnn, act, dtype,
        )  # fmt: skip
        depthwise = groups == num_channels and num_filters % num_channels == 0 and not use_cudnn
        self._l_type = "depthwise_conv2d" if depthwise else "conv2d"

    def forward(self, input: VarBase) -> VarBase:
        """Convolve `input` [B, C, H, W]; the result is [B, K, H', W']."""
        return conv.conv2d(
            input, self.weight, self.bias, self._stride, self._padding, self._dilation,
            self._groups or 1, self._act,
        )  # fmt: skip


class Conv3D(_Forward):
    """Convolve volumes with `num_filters` filters.

    Same as Paddle 1.8; the weight starts normally distributed with standard deviation
    sqrt(2 / (kd * kh * kw * num_channels)).

    Args:
        num_channels: C of the input.
        num_filters: K of the output.
        filter_size: kd, kh, kw, or one number for all; likewise `stride`, `padding`, `dilation`.
        groups: divide channels and filters into so many groups that do not see each other.
        param_attr: attributes of the weight [K, C / groups, kd, kh, kw].
        bias_attr: attributes of the bias [K]; False for none.
        use_cudnn: accepted for compatibility.
        act: name of an activation.
        dtype: element type.

    Raises:
        ValueError: a size is not an int or list of three, or `groups` does not divide the channels.
        AssertionError: `param_attr` is False.
    """

    _num_axes = 3

    def __init__(
        self,
        num_channels: int,
        num_filters: int,
        filter_size: int | list[int],
        stride: int | list[int] = 1,
        padding: int | list[int] = 0,
        dilation: int | list[int] = 1,
        groups: int | None = None,
        param_attr: Any = None,
        bias_attr: Any = None,
        use_cudnn: bool = True,
        act: str | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        self._set_up(
            (num_channels, num_filters), filter_size, (stride, padding, dilation), groups,
            (param_attr, bias_attr), use_cudnn, act, dtype,
        )  # fmt: skip

    def forward(self, input: VarBase) -> VarBase:
        """Convolve `input` [B, C, D, H, W]; the result is [B, K, D', H', W']."""
        return conv.conv3d(
            input, self.weight, self.bias, self._stride, self._padding, self._dilation,
            self._groups or 1, self._act,
        )  # fmt: skip
