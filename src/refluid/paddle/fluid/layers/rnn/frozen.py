"""States of sequences that have come to their end. B batch.

May import: torch, core_avx, layers.utils.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.variable import plain, wrap
from refluid.paddle.fluid.layers.utils import map_structure

__all__ = ["keep_finished"]


def keep_finished(states: Any, new_states: Any, finished: Tensor) -> Any:
    """Return the new states, but the old ones of those sequences that are finished.

    Chooses, where Paddle multiplies by 0 and 1: a NaN that is not chosen does no harm.

    Args:
        states: a structure of variables [B, ...].
        new_states: such a structure, of the same shapes.
        finished: bool, the first dimensions of each state.

    Raises:
        EnforceNotMet: a new state differs from the old one in shape or element type.
    """
    mask = plain(finished)

    def choose(state: Tensor, new_state: Tensor) -> Tensor:
        if describe(state) != describe(new_state):
            raise EnforceNotMet(
                "a cell's new states must have the shapes and types of those before, but it "
                f"returned {describe(new_state)} for {describe(state)}."
            )
        ahead = mask.reshape(list(mask.size()) + [1] * (state.dim() - mask.dim()))
        return wrap(torch.where(ahead, plain(state), plain(new_state)))

    return map_structure(choose, states, new_states)
