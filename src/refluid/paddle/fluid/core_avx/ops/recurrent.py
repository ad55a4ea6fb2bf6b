"""Steps of recurrent networks. B batch, D size of the state. May import: torch, operator."""

from __future__ import annotations

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator, optional
from refluid.paddle.fluid.core_avx.ops.activation import activate

__all__ = ["GATE_ACTIVATIONS", "gru_unit"]

# by Paddle's number
GATE_ACTIVATIONS = (None, "sigmoid", "tanh", "relu")


@operator("gru_unit", direct=True, input=FLOAT, hidden=FLOAT, weight=FLOAT, bias=optional(FLOAT))
def gru_unit(
    input: Tensor,
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    activation: int = 2,
    gate_activation: int = 1,
    origin_mode: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Make one step of a gated recurrent unit.

    Update gate u, reset gate r and candidate c; the new state is (1 - u) * hidden + u * c.
    Gradients flow from the new state only, not from the other results, as in Paddle.
    Source: Chung et al. 2014.

    Args:
        input: float [B, 3 D], the inputs of u, r and c.
        hidden: [B, D], the state before.
        weight: [D, 3 D]; its memory holds a matrix [D, 2 D] for u and r, then [D, D] for c.
        bias: [1, 3 D] or None.
        activation: of c: 0 none, 1 sigmoid, 2 tanh, 3 relu.
        gate_activation: of u and r, likewise.
        origin_mode: exchange u and 1 - u (Cho et al. 2014).

    Returns:
        The gates u, r, c [B, 3 D]; r * hidden [B, D]; the new state [B, D].
    """
    size = weight.size(0)
    if not (input.dim() == 2 and input.size(1) == 3 * size):
        raise EnforceNotMet(
            f"gru_unit: `input` must have shape [batch, {3 * size}], but received shape "
            f"{list(input.size())}."
        )
    if hidden.size() != (input.size(0), size):
        raise EnforceNotMet(
            f"gru_unit: `hidden` must have shape {[input.size(0), size]}, but received shape "
            f"{list(hidden.size())}."
        )
    flat = torch.reshape(weight, (-1,))
    for_gates, for_state = torch.split_with_sizes(flat, [2 * size * size, size * size])
    x = input if bias is None else torch.add(input, bias)
    x_gates, x_state = torch.split_with_sizes(x, [2 * size, size], 1)
    gates = torch.addmm(x_gates, hidden, for_gates.view(size, 2 * size))
    gates = activate(gates, GATE_ACTIVATIONS[gate_activation], fresh=True)
    update, reset = gates.chunk(2, 1)
    reset_hidden = torch.mul(reset, hidden)
    state = torch.addmm(x_state, reset_hidden, for_state.view(size, size))
    state = activate(state, GATE_ACTIVATIONS[activation], fresh=True)
    new = torch.lerp(state, hidden, update) if origin_mode else torch.lerp(hidden, state, update)
    return torch.cat([gates, state], 1).detach(), reset_hidden.detach(), new
