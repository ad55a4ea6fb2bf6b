"""Activations with weights. May import: core_avx, layers, initializer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from refluid.paddle.fluid.core_avx.ops import activation
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn.argument import one_of
from refluid.paddle.fluid.dygraph.nn.parameter import Registered, needed_weight
from refluid.paddle.fluid.initializer import Constant

__all__ = ["PRelu"]


class PRelu(Layer):
    """Multiply what is below 0 by a weight that is learned.

    Same as Paddle 1.8; the weight starts from 1 (not 0.25, as elsewhere). Source: He et al. 2015.

    Args:
        mode: "all" for one weight, "channel" for one for each channel, "element" for one for each
            element of a sample.
        channel: number of channels, for "channel".
        input_shape: shape of the input with the batch, for "element".
        param_attr: attributes of the weight.
        dtype: element type of the input; the weight is float32.

    Raises:
        ValueError: `mode` is none of these.
        AssertionError: `channel` or `input_shape` is missing, or `param_attr` is False.
    """

    weight: Any = Registered()

    def __init__(
        self,
        mode: str,
        channel: int | None = None,
        input_shape: Sequence[int] | None = None,
        param_attr: Any = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__(name_scope="prelu")
        self._mode = one_of(mode, ("all", "channel", "element"), "mode")
        self._param_attr = param_attr
        self._dtype = dtype
        self._alpha_shape = [1]
        if mode == "channel":
            assert isinstance(channel, int), (
                f'`channel` must be an int for mode "channel", but received {channel!r}.'
            )
            self._alpha_shape = [1, channel, 1, 1]
        elif mode == "element":
            assert isinstance(input_shape, (list, tuple)), (
                f'`input_shape` must be a list for mode "element", but received {input_shape!r}.'
            )
            self._alpha_shape = [1, *input_shape[1:]]
        self.weight = needed_weight(self, self._alpha_shape, param_attr, "float32", Constant(1.0))

    def forward(self, input: VarBase) -> VarBase:
        """Return `input` with what is below 0 multiplied."""
        return activation.prelu(input, self.weight, self._mode)
