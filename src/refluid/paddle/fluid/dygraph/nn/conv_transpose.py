"""Transposed convolution layers. B batch, C channels, D depth, H height, W width, K filters.

May import: core_avx, initializer, dygraph.nn.conv.
"""

from __future__ import annotations

from typing import Any

from refluid.paddle.fluid.core_avx.ops import conv
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.nn.argument import positive_per_axis
from refluid.paddle.fluid.dygraph.nn.conv import Convolution
from refluid.paddle.fluid.initializer import Initializer

__all__ = ["Conv2DTranspose", "Conv3DTranspose"]


class _Transposed(Convolution):
    """What the transposed convolutions share."""

    def _weight_start(self) -> tuple[list[int], Initializer | None]:
        self._groups = self._groups or 1
        self._filter_size = positive_per_axis(self._filter_size, self._num_axes, "filter_size")
        filters = self._num_filters // self._groups
        return [self._num_channels, filters, *self._filter_size], None


class Conv2DTranspose(_Transposed):
    """Convolve images backwards, which enlarges them by the stride.

    Same as Paddle 1.8; note the order of the arguments, padding before stride.

    Args:
        num_channels: C of the input.
        num_filters: K of the output.
        filter_size: kh, kw, or one number for both; likewise `padding`, `stride`, `dilation`.
        output_size: H', W' or one number for both, where the stride leaves a choice.
        padding: rows and columns taken away around the result.
        stride: rows and columns between the windows.
        dilation: distance of a window's elements.
        groups: divide channels and filters into so many groups that do not see each other.
        param_attr: attributes of the weight [C, K / groups, kh, kw].
        bias_attr: attributes of the bias [K]; False for none.
        use_cudnn: accepted for compatibility.
        act: name of an activation.
        dtype: element type.

    Raises:
        ValueError: a size is not an int or list of two.
        AssertionError: `param_attr` is False.
    """

    _num_axes = 2

    def __init__(
        self,
        num_channels: int,
        num_filters: int,
        filter_size: int | list[int],
        output_size: int | list[int] | None = None,
        padding: int | list[int] = 0,
        stride: int | list[int] = 1,
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
        self._output_size: list[int] = []
        if output_size is not None and output_size != []:
            self._output_size = positive_per_axis(output_size, 2, "output_size")
        depthwise = groups == num_channels == num_filters and not use_cudnn
        self._op_type = "depthwise_conv2d_transpose" if depthwise else "conv2d_transpose"

    def forward(self, input: VarBase) -> VarBase:
        """Convolve `input` [B, C, H, W] backwards; the result is [B, K, H', W']."""
        return conv.conv2d_transpose(
            input, self.weight, self.bias, self._stride, self._padding, self._dilation,
            self._groups or 1, self._output_size, self._act,
        )  # fmt: skip


class Conv3DTranspose(_Transposed):
    """Convolve volumes backwards, which enlarges them by the stride.

    Same as Paddle 1.8, down to its bias: one is made unless `bias_attr` is False, but it is added
    only if `bias_attr` was given. Note the order of the arguments, padding before stride.

    Args:
        num_channels: C of the input.
        num_filters: K of the output.
        filter_size: kd, kh, kw, or one number for all; likewise `padding`, `stride`, `dilation`.
        padding: elements taken away around the result.
        stride: distance of the windows.
        dilation: distance of a window's elements.
        groups: divide channels and filters into so many groups that do not see each other.
        param_attr: attributes of the weight [C, K / groups, kd, kh, kw].
        bias_attr: attributes of the bias [K]; without it the bias is not added.
        use_cudnn: accepted for compatibility.
        act: name of an activation.
        dtype: element type.

    Raises:
        ValueError: a size is not an int or list of three.
        AssertionError: `param_attr` is False.
    """

    _num_axes = 3

    def __init__(
        self,
        num_channels: int,
        num_filters: int,
        filter_size: int | list[int],
        padding: int | list[int] = 0,
        stride: int | list[int] = 1,
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
        """Convolve `input` [B, C, D, H, W] backwards; the result is [B, K, D', H', W']."""
        return conv.conv3d_transpose(
            input, self.weight, self.bias if self._bias_attr else None, self._stride,
            self._padding, self._dilation, self._groups or 1, None, self._act,
        )  # fmt: skip
