"""The convolution over trees. May import: core_avx, layers."""

from __future__ import annotations

from typing import Any

from refluid.paddle.fluid.core_avx.ops import tree_conv
from refluid.paddle.fluid.core_avx.ops.activation import check_act
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn.argument import positive
from refluid.paddle.fluid.dygraph.nn.parameter import Registered, needed_weight

__all__ = ["TreeConv"]


class TreeConv(Layer):
    """Weigh each node of a tree together with its descendants.

    Same as Paddle 1.8, down to its bias, which is added along the nodes: it fits only where
    `num_filters` is 1 or the number of nodes. Nodes in no edge give zeros (Paddle: undefined).

    Args:
        feature_size: F, numbers for each node.
        output_size: O, outputs for each node and filter.
        num_filters: M.
        max_depth: levels that a node sees, itself included; at least 2.
        act: name of an activation.
        param_attr: attributes of the weight [F, 3, O, M].
        bias_attr: attributes of the bias [M]; None for none.
        name: name of the result, put behind the layer's own.
        dtype: element type.

    Raises:
        AssertionError: `param_attr` is False.
    """

    weight: Any = Registered()
    bias: Any = Registered()

    def __init__(
        self,
        feature_size: int,
        output_size: int,
        num_filters: int = 1,
        max_depth: int = 2,
        act: str | None = "tanh",
        param_attr: Any = None,
        bias_attr: Any = None,
        name: str | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        self._name = name
        self._feature_size = positive(feature_size, "feature_size")
        self._output_size = positive(output_size, "output_size")
        self._act = check_act(act)
        self._max_depth = max_depth
        self._num_filters = positive(num_filters, "num_filters")
        self._bias_attr, self._param_attr = bias_attr, param_attr
        self._dtype = dtype
        self.bias = self.create_parameter([num_filters], bias_attr or False, dtype, is_bias=True)
        self.weight = needed_weight(
            self, [feature_size, 3, output_size, num_filters], param_attr, dtype
        )

    def forward(self, nodes_vector: VarBase, edge_set: VarBase) -> VarBase:
        """Convolve.

        Args:
            nodes_vector: [B, N, F].
            edge_set: int32 [B, E, 2], pairs (parent, child) of numbers from 1, ended by zeros.

        Returns:
            [B, N, O, M].
        """
        out = tree_conv.tree_conv(
            nodes_vector, edge_set, self.weight, self.bias, self._max_depth, self._act
        )
        if self._name and self._act is None and self.bias is None:
            out.name = f"{self.full_name()}.{self._name}"
        return out
