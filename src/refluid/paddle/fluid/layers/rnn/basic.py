"""Steps of recurrent networks as Layers. B batch, N input, D state.

May import: core_avx, dygraph, unique_name, layers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.layers.nn.elementwise import elementwise_add
from refluid.paddle.fluid.layers.nn.layout import split
from refluid.paddle.fluid.layers.nn.product import matmul
from refluid.paddle.fluid.layers.ops import sigmoid, tanh
from refluid.paddle.fluid.layers.tensor.join import concat

__all__ = ["Activation", "BasicGRUUnit", "BasicLSTMUnit"]

Activation = Callable[[VarBase], VarBase]


class _Unit(Layer):
    """What both units share: sizes, attributes, and weights that the first input decides."""

    def __init__(
        self,
        name_scope: str,
        hidden_size: int,
        param_attr: Any,
        bias_attr: Any,
        dtype: Any,
    ) -> None:
        super().__init__(name_scope, dtype)
        self._full_name = unique_name.generate(f"{name_scope}/{type(self).__name__}")
        self._hidden_size = hidden_size
        self._param_attr, self._bias_attr = param_attr, bias_attr

    def _make_weight(self, num_inputs: int, gates: int, suffix: str = "") -> Any:
        """Make a weight [N + D, gates * D]."""
        shape = [num_inputs + self._hidden_size, gates * self._hidden_size]
        return self.create_parameter(shape, _with_suffix(self._param_attr, suffix), self._dtype)

    def _make_bias(self, gates: int, suffix: str = "") -> Any:
        """Make a bias [gates * D]."""
        attr = _with_suffix(self._bias_attr, suffix)
        return self.create_parameter([gates * self._hidden_size], attr, self._dtype, is_bias=True)


def _with_suffix(attr: Any, suffix: str) -> Any:
    """Return attributes whose name, if there is one, ends in `suffix`."""
    if getattr(attr, "name", None) is None or not suffix:
        return attr
    attr = copy.copy(attr)
    attr.name += suffix
    return attr


class BasicGRUUnit(_Unit):
    """Make one step of a gated recurrent unit, with the weights made in the first.

    Same as Paddle 1.8, which has it in `fluid.contrib.layers`. Source: Cho et al. 2014.

    Args:
        name_scope: what the weights' names begin with.
        hidden_size: D.
        param_attr: attributes of the weights [N + D, 2 * D] and [N + D, D].
        bias_attr: attributes of the biases [2 * D] and [D].
        gate_activation: a function for the gates, by default sigmoid.
        activation: a function for the candidate, by default tanh.
        dtype: element type of the weights.
    """

    def __init__(
        self,
        name_scope: str,
        hidden_size: int,
        param_attr: Any = None,
        bias_attr: Any = None,
        gate_activation: Activation | None = None,
        activation: Activation | None = None,
        dtype: Any = "float32",
    ) -> None:
        super().__init__(name_scope, hidden_size, param_attr, bias_attr, dtype)
        self._gate_activation, self._activation = gate_activation or sigmoid, activation or tanh

    def _build_once(self, input: VarBase, hidden: VarBase) -> None:
        size = input.shape[-1]
        self._gate_weight = self._make_weight(size, 2, "_gate")
        self._candidate_weight = self._make_weight(size, 1, "_candidate")
        self._gate_bias = self._make_bias(2, "_gate")
        self._candidate_bias = self._make_bias(1, "_candidate")

    def forward(self, input: VarBase, hidden: VarBase) -> VarBase:
        """Return the new state [B, D] for an input [B, N] and the state before [B, D]."""
        gates = matmul(concat([input, hidden], 1), self._gate_weight)
        gates = self._gate_activation(elementwise_add(gates, self._gate_bias))
        reset, update = split(gates, 2, 1)
        candidate = matmul(concat([input, reset * hidden], 1), self._candidate_weight)
        candidate = self._activation(elementwise_add(candidate, self._candidate_bias))
        return update * hidden + (1 - update) * candidate


class BasicLSTMUnit(_Unit):
    """Make one step of a long short-term memory, with the weights made in the first.

    Same as Paddle 1.8, which has it in `fluid.contrib.layers`, and where the activations have no
    effect: they are sigmoid and tanh. Source: Hochreiter and Schmidhuber 1997.

    Args:
        name_scope: what the weights' names begin with.
        hidden_size: D.
        param_attr: attributes of the weight [N + D, 4 * D].
        bias_attr: attributes of the bias [4 * D].
        gate_activation: accepted for compatibility.
        activation: accepted for compatibility.
        forget_bias: added to the forget gate.
        dtype: element type of the weights.
    """

    def __init__(
        self,
        name_scope: str,
        hidden_size: int,
        param_attr: Any = None,
        bias_attr: Any = None,
        gate_activation: Activation | None = None,
        activation: Activation | None = None,
        forget_bias: float = 1.0,
        dtype: Any = "float32",
    ) -> None:
        super().__init__(name_scope, hidden_size, param_attr, bias_attr, dtype)
        self._forget_bias = float(forget_bias)

    def _build_once(self, input: VarBase, hidden: VarBase, memory: VarBase) -> None:
        self._weight = self._make_weight(input.shape[-1], 4)
        self._bias = self._make_bias(4)

    def forward(self, input: VarBase, hidden: VarBase, memory: VarBase) -> tuple[VarBase, VarBase]:
        """Return output and memory [B, D] for an input [B, N] and those before [B, D]."""
        gates = elementwise_add(matmul(concat([input, hidden], 1), self._weight), self._bias)
        enter, candidate, forget, leave = split(gates, 4, -1)
        kept = memory * sigmoid(forget + self._forget_bias)
        memory = kept + sigmoid(enter) * tanh(candidate)
        return tanh(memory) * sigmoid(leave), memory
