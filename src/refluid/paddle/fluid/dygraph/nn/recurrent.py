"""Steps of recurrent networks. May import: torch, core_avx, layers."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from refluid.paddle.fluid.core_avx.ops import recurrent
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn.argument import one_of, positive
from refluid.paddle.fluid.dygraph.nn.parameter import Registered, needed_weight

__all__ = ["GRUUnit"]

_ACTIVATIONS = ("identity", *recurrent.GATE_ACTIVATIONS[1:])


class GRUUnit(Layer):
    """Make one step of a gated recurrent unit.

    Same as Paddle 1.8, which ignores `origin_mode` here.

    Args:
        size: three times D, the size of the state.
        param_attr: attributes of the weight [D, 3 D].
        bias_attr: attributes of the bias [1, 3 D]; False for none.
        activation: of the candidate: "identity", "sigmoid", "tanh" or "relu".
        gate_activation: of the gates, likewise.
        origin_mode: accepted for compatibility.
        dtype: element type.

    Raises:
        ValueError: an activation is none of these.
        AssertionError: `param_attr` is False.
    """

    weight: Any = Registered()
    bias: Any = Registered()

    def __init__(
        self,
        size: int,
        param_attr: Any = None,
        bias_attr: Any = None,
        activation: str = "tanh",
        gate_activation: str = "sigmoid",
        origin_mode: bool = False,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        self._bias_attr = bias_attr
        self.activation = _ACTIVATIONS.index(one_of(activation, _ACTIVATIONS, "activation"))
        self.gate_activation = _ACTIVATIONS.index(
            one_of(gate_activation, _ACTIVATIONS, "gate_activation")
        )
        self._dtype = dtype
        state = positive(size // 3, "size // 3")
        self._bias_size = [1, 3 * state]
        self.weight = needed_weight(self, [state, 3 * state], param_attr, dtype)
        self.bias = self.create_parameter(self._bias_size, bias_attr, dtype, is_bias=True)

    def forward(self, input: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Make one step.

        Args:
            input: [B, 3 D], the input of update gate, reset gate and candidate.
            hidden: [B, D], the state before.

        Returns:
            The new state [B, D]; the state before times the reset gate [B, D]; the gates and the
            candidate [B, 3 D].
        """
        gate, reset_hidden, new = recurrent.gru_unit(
            input, hidden, self.weight, self.bias, self.activation, self.gate_activation
        )
        return new, reset_hidden, gate
