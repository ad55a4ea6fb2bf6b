"""Cells of recurrent networks, which keep their weights. B batch, N input, D state.

May import: core_avx, layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layers.rnn.basic import Activation, BasicGRUUnit, BasicLSTMUnit
from refluid.paddle.fluid.layers.tensor.constant import fill_constant_batch_size_like
from refluid.paddle.fluid.layers.utils import flatten, map_structure

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


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
            shape: sizes of a state without the batch, or a structure of such; by default
                `state_shape`.
            dtype: element type, or a structure of such like `shape`; None for `state_dtype`, which
                is float32 where the cell does not say.
            init_value: the constant.
            batch_dim_idx: where `batch_ref` has the batch size.

        Raises:
            TypeError: `shape` holds something else than ints.
        """

        def maker(sizes: list[int]) -> Callable[[Any], VarBase]:
            return lambda kind: fill_constant_batch_size_like(
                batch_ref, sizes, kind, init_value, batch_dim_idx
            )

        made = _for_each_shape(maker, self.state_shape if shape is None else shape)
        kinds = _dtype_of(self) if dtype is None else dtype
        if len(flatten(kinds)) > 1:
            return map_structure(lambda make, kind: make(kind), made, kinds)
        return map_structure(lambda make: make(flatten(kinds)[0]), made)

    @property
    def state_shape(self) -> Any:
        """Sizes of the state without the batch, or a list of such."""
        raise NotImplementedError(f"{type(self).__name__} must define state_shape.")

    @property
    def state_dtype(self) -> Any:
        """Element type of the states."""
        raise NotImplementedError(f"{type(self).__name__} must define state_dtype.")


def _for_each_shape(function: Callable[[list[int]], Any], shape: Any) -> Any:
    """Call a function with each shape of a structure, the batch standing in it as -1."""
    if isinstance(shape, dict):
        pairs = ((key, _for_each_shape(function, part)) for key, part in shape.items())
        return type(shape)(pairs)
    if not isinstance(shape, (list, tuple)) or not shape:
        raise TypeError(
            "get_initial_states: `shape` must be a list or tuple of ints, or a structure of such, "
            f"but received {shape!r}."
        )
    if all(hasattr(size, "__index__") for size in shape):
        return function(list(shape) if shape[0] == -1 else [-1, *shape])
    parts = [_for_each_shape(function, part) for part in shape]
    return type(shape)(*parts) if hasattr(shape, "_fields") else type(shape)(parts)


def _dtype_of(cell: RNNCell) -> Any:
    """Return the element type of a cell's states, float32 where the cell does not say."""
    try:
        return cell.state_dtype
    except NotImplementedError:
        return "float32"


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
            name, hidden_size, param_attr, bias_attr, gate_activation, activation, dtype
        )

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
        self.lstm_unit = BasicLSTMUnit(
            name, hidden_size, param_attr, bias_attr, None, None, forget_bias, dtype
        )

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
    if not hasattr(hidden_size, "__index__"):
        raise TypeError(f"{cell}: `hidden_size` must be an int, but is {describe(hidden_size)}.")
