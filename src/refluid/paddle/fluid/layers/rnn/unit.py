"""One step of a recurrent network, with new weights at each call. B batch, N input, D state.

May import: core_avx, layer_helper, layers.nn, layers.tensor.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.operator import FLOAT, operator
from refluid.paddle.fluid.core_avx.ops import recurrent
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.nn.argument import one_of
from refluid.paddle.fluid.layer_helper import LayerHelper
from refluid.paddle.fluid.layers.nn.connect import check_variable, fc
from refluid.paddle.fluid.layers.tensor.join import concat

__all__ = ["gru_unit", "lstm_unit"]


def gru_unit(
    input: VarBase,
    hidden: VarBase,
    size: int,
    param_attr: Any = None,
    bias_attr: Any = None,
    activation: str = "tanh",
    gate_activation: str = "sigmoid",
    origin_mode: bool = False,
) -> tuple[VarBase, VarBase, VarBase]:
    """Make one step of a gated recurrent unit.

    Same as Paddle 1.8, where `activation` and `gate_activation` have no effect: they are tanh
    and sigmoid.

    Args:
        input: float [B, 3 * D], the input already multiplied.
        hidden: float [B, D], the state before.
        size: 3 * D.
        param_attr: attributes of the weight [D, 3 * D].
        bias_attr: attributes of the bias [1, 3 * D]; False for none.
        activation: "identity", "sigmoid", "tanh" or "relu".
        gate_activation: likewise.
        origin_mode: keep the share of the update gate of the old state, not of the new one.

    Returns:
        The state [B, D], the state after the reset gate [B, D], and the gates [B, 3 * D].
    """
    for name, value in (("activation", activation), ("gate_activation", gate_activation)):
        one_of(value, ("identity", "sigmoid", "tanh", "relu"), name)
    check_variable("gru_unit", "input", input)
    if not isinstance(size, int):
        raise TypeError(f"gru_unit: `size` must be an int, but received {size!r}.")
    helper, width = LayerHelper("gru_unit"), size // 3
    weight = helper.create_weight(param_attr, [width, 3 * width], input.dtype)
    bias = helper.create_parameter(bias_attr, [1, 3 * width], input.dtype, is_bias=True)
    gates, reset, state = recurrent.gru_unit(input, hidden, weight, bias, origin_mode=origin_mode)
    return state, reset, gates


def lstm_unit(
    x_t: VarBase,
    hidden_t_prev: VarBase,
    cell_t_prev: VarBase,
    forget_bias: float = 0.0,
    param_attr: Any = None,
    bias_attr: Any = None,
    name: str | None = None,
) -> tuple[VarBase, VarBase]:
    """Make one step of a long short-term memory.

    Same as Paddle 1.8. Source: Hochreiter and Schmidhuber 1997.

    Args:
        x_t: float [B, N].
        hidden_t_prev: float [B, D], the output before.
        cell_t_prev: float [B, D], the memory before.
        forget_bias: added to the forget gate.
        param_attr: attributes of the weight [N + D, 4 * D].
        bias_attr: attributes of the bias [4 * D]; False for none.
        name: accepted for compatibility.

    Returns:
        The output and the memory, both [B, D].

    Raises:
        ValueError: the shapes do not fit.
    """
    variables = {"x_t": x_t, "hidden_t_prev": hidden_t_prev, "cell_t_prev": cell_t_prev}
    shapes = [check_variable("lstm_unit", key, v).shape for key, v in variables.items()]
    if any(len(shape) != 2 for shape in shapes) or not (
        shapes[0][0] == shapes[1][0] and shapes[1] == shapes[2]
    ):
        raise ValueError(
            "lstm_unit: `x_t`, `hidden_t_prev` and `cell_t_prev` must be [B, N], [B, D] and "
            f"[B, D], but received {', '.join(map(str, shapes))}."
        )
    gates = fc(concat([x_t, hidden_t_prev], 1), 4 * shapes[2][1], 1, param_attr, bias_attr)
    memory, output = _lstm(gates, cell_t_prev, forget_bias)
    return output, memory


@operator("lstm_unit", gates=FLOAT, memory=FLOAT)
def _lstm(gates: Tensor, memory: Tensor, forget_bias: float) -> tuple[Tensor, Tensor]:
    """Combine the gates in the order input, forget, output, candidate."""
    enter, forget, leave, candidate = torch.split(gates, memory.size(1), 1)
    kept = memory * torch.sigmoid(forget + forget_bias)
    memory = kept + torch.sigmoid(enter) * torch.tanh(candidate)
    return memory, torch.sigmoid(leave) * torch.tanh(memory)
