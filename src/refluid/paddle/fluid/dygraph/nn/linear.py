"""Layers that multiply by a weight. May import: core_avx, layers."""

from __future__ import annotations

from typing import Any

from refluid.paddle.fluid.core_avx.ops import linear
from refluid.paddle.fluid.core_avx.ops.activation import check_act
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn.argument import positive
from refluid.paddle.fluid.dygraph.nn.parameter import Registered, needed_weight

__all__ = ["BilinearTensorProduct", "Linear"]


class Linear(Layer):
    """Multiply the last dimension by a matrix and add a bias. Same as Paddle 1.8.

    Args:
        input_dim: N, the last dimension of the input.
        output_dim: M, the last dimension of the output.
        param_attr: attributes of the weight [N, M].
        bias_attr: attributes of the bias [M]; False for none.
        act: name of an activation.
        dtype: element type.

    Raises:
        AssertionError: `param_attr` is False.
    """

    weight: Any = Registered()
    bias: Any = Registered()

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        param_attr: Any = None,
        bias_attr: Any = None,
        act: str | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        self._act = check_act(act)
        self._dtype = dtype
        sizes = [positive(input_dim, "input_dim"), positive(output_dim, "output_dim")]
        self.weight = needed_weight(self, sizes, param_attr, dtype)
        self.bias = self.create_parameter(sizes[1:], attr=bias_attr, dtype=dtype, is_bias=True)

    def forward(self, input: VarBase) -> VarBase:
        """Multiply `input` [..., N]; the result is [..., M]."""
        return linear.linear(input, self.weight, self.bias, self._act)


class BilinearTensorProduct(Layer):
    """Multiply pairs of vectors by one matrix for each output. Same as Paddle 1.8.

    Args:
        input1_dim: N, the size of the first input.
        input2_dim: M, the size of the second.
        output_dim: K, the size of the output.
        name: name of the result, put behind the layer's own.
        act: name of an activation.
        param_attr: attributes of the weight [K, N, M].
        bias_attr: attributes of the bias [1, K]; False for none.
        dtype: element type.

    Raises:
        AssertionError: `param_attr` is False.
    """

    weight: Any = Registered()
    bias: Any = Registered()

    def __init__(
        self,
        input1_dim: int,
        input2_dim: int,
        output_dim: int,
        name: str | None = None,
        act: str | None = None,
        param_attr: Any = None,
        bias_attr: Any = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        self._param_attr, self._bias_attr = param_attr, bias_attr
        self._act = check_act(act)
        self._name = name
        self._input1_dim = positive(input1_dim, "input1_dim")
        self._input2_dim = positive(input2_dim, "input2_dim")
        self._output_dim = positive(output_dim, "output_dim")
        self._dtype = dtype
        self.weight = needed_weight(self, [output_dim, input1_dim, input2_dim], param_attr, dtype)
        self.bias = self.create_parameter([1, output_dim], bias_attr, dtype, is_bias=True)

    def forward(self, x: VarBase, y: VarBase) -> VarBase:
        """Multiply `x` [B, N] and `y` [B, M]; the result is [B, K]."""
        out = linear.bilinear_tensor_product(x, y, self.weight, self.bias, self._act)
        if self._name is not None and self._act is None:
            out.name = f"{self.full_name()}.{self._name}"
        return out
