"""Cells of recurrent networks, which keep their weights. B batch, N input, D state.

May import: core_avx, dygraph, unique_name, layers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.layers.nn.elementwise import elementwise_add
from refluid.paddle.fluid.layers.nn.layout import split
from refluid.paddle.fluid.layers.nn.product import matmul
from refluid.paddle.fluid.layers.ops import sigmoid, tanh
from refluid.paddle.fluid.layers.tensor.constant import fill_constant_batch_size_like
from refluid.paddle.fluid.layers.tensor.join import concat

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]

Activation = Callable[[VarBase], VarBase]


class RNNCell:
    """Base of cells: `call` takes an input and states, and returns an output and new states.

    Same as Paddle 1.8.
    """

    def call(self, inputs: Any, states: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Make one step; every cell defines its own."""
        raise NotImplementedError(f"{type(self).__name__} must define call().")

    def __call__(self, inputs: Any, states: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Make one step."""
        return self.call(inputs, states, **kwargs)

    def get_initial_states(
        self,
        batch_ref: VarBase,
        shape: Any = None,
        dtype: Any = "float32",
        init_value: float = 0,
        batch_dim_idx: int = 0,
    ) -> Any:
        """Return constant states to start from.

        Args:
            batch_ref: a variable that has the batch size.
            shape: sizes of a state without the batch, or a list of such; by default `state_shape`.
            dtype: element type.
            init_value: the constant.
            batch_dim_idx: where `batch_ref` has the batch size.
        """
        wanted = self.state_shape if shape is None else shape
        if isinstance(wanted, (list, tuple)) and not all(isinstance(n, int) for n in wanted):
            return type(wanted)(
                self.get_initial_states(batch_ref, s, dtype, init_value, batch_dim_idx)
                for s in wanted
            )
        sizes = [wanted] if isinstance(wanted, int) else list(wanted)
        sizes = sizes if sizes[:1] == [-1] else [-1, *sizes]
        kind = "float32" if dtype is None else dtype
        return fill_constant_batch_size_like(batch_ref, sizes, kind, init_value, batch_dim_idx)

    @property
    def state_shape(self) -> Any:
        """Sizes of the state without the batch, or a list of such."""
        raise NotImplementedError(f"{type(self).__name__} must define state_shape.")

    @property
    def state_dtype(self) -> Any:
        """Element type of the states."""
        raise NotImplementedError(f"{type(self).__name__} must define state_dtype.")


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
    """One step of a gated recurrent unit, made of the operators that Paddle makes it of."""

    def __init__(
        self,
        name_scope: str,
        hidden_size: int,
        param_attr: Any,
        bias_attr: Any,
        gate_activation: Activation,
        activation: Activation,
        dtype: Any,
    ) -> None:
        super().__init__(name_scope, hidden_size, param_attr, bias_attr, dtype)
        self._gate_activation, self._activation = gate_activation, activation

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
    """One step of a long short-term memory, made of the operators that Paddle makes it of."""

    def __init__(
        self,
        name_scope: str,
        hidden_size: int,
        param_attr: Any,
        bias_attr: Any,
        forget_bias: float,
        dtype: Any,
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


class GRUCell(RNNCell):
    """A gated recurrent unit. Its weights are made at the first step and kept in `gru_unit`.

    Same as Paddle 1.8. Source: Cho et al. 2014.

    Args:
        hidden_size: D.
        param_attr: attributes of the weights [N + D, 2 * D] and [N + D, D].
        bias_attr: attributes of the biases [2 * D] and [D].
        gate_activation: a function for the gates, by default sigmoid.
        activation: a function for the candidate, by default tanh.
        dtype: element type of the weights.
        name: what the weights' names begin with.
    """

    def __init__(
        self,
        hidden_size: int,
        param_attr: Any = None,
        bias_attr: Any = None,
        gate_activation: Activation | None = None,
        activation: Activation | None = None,
        dtype: Any = "float32",
        name: str = "GRUCell",
    ) -> None:
        _check_size("GRUCell", hidden_size)
        self.hidden_size = hidden_size
        self.gru_unit = BasicGRUUnit(
            name, hidden_size, param_attr, bias_attr, gate_activation or sigmoid,
            activation or tanh, dtype,
        )  # fmt: skip

    def call(self, inputs: VarBase, states: VarBase) -> tuple[VarBase, VarBase]:  # type: ignore[override]
        """Return the new state [B, D] twice, for inputs [B, N] and the state before [B, D]."""
        new = self.gru_unit(inputs, states)
        return new, new

    @property
    def state_shape(self) -> list[int]:
        """[D]."""
        return [self.hidden_size]


class LSTMCell(RNNCell):
    """A long short-term memory. Its weights are made at the first step and kept in `lstm_unit`.

    Same as Paddle 1.8, where the activations have no effect: they are sigmoid and tanh.
    Source: Hochreiter and Schmidhuber 1997.

    Args:
        hidden_size: D.
        param_attr: attributes of the weight [N + D, 4 * D].
        bias_attr: attributes of the bias [4 * D].
        gate_activation: accepted for compatibility.
        activation: accepted for compatibility.
        forget_bias: added to the forget gate.
        dtype: element type of the weights.
        name: what the weights' names begin with.
    """

    def __init__(
        self,
        hidden_size: int,
        param_attr: Any = None,
        bias_attr: Any = None,
        gate_activation: Activation | None = None,
        activation: Activation | None = None,
        forget_bias: float = 1.0,
        dtype: Any = "float32",
        name: str = "LSTMCell",
    ) -> None:
        _check_size("LSTMCell", hidden_size)
        self.hidden_size = hidden_size
        self.lstm_unit = BasicLSTMUnit(name, hidden_size, param_attr, bias_attr, forget_bias, dtype)

    def call(self, inputs: VarBase, states: list[VarBase]) -> tuple[VarBase, list[VarBase]]:  # type: ignore[override]
        """Return the output [B, D], and [output, memory], for the two before."""
        hidden, memory = states
        new_hidden, new_memory = self.lstm_unit(inputs, hidden, memory)
        return new_hidden, [new_hidden, new_memory]

    @property
    def state_shape(self) -> list[list[int]]:
        """[D] for the output and for the memory."""
        return [[self.hidden_size], [self.hidden_size]]


def _check_size(cell: str, hidden_size: Any) -> None:
    if not isinstance(hidden_size, int):
        raise TypeError(f"{cell}: `hidden_size` must be an int, but is {describe(hidden_size)}.")
