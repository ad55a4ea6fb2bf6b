"""A counter of steps. May import: core_avx, layers.tensor."""

from __future__ import annotations

from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layers.tensor.constant import fill_constant

__all__ = ["autoincreased_step_counter"]


def autoincreased_step_counter(
    counter_name: str | None = None, begin: int = 1, step: int = 1
) -> VarBase:
    """Return begin - 1 + step as int64 [1].

    Same as Paddle 1.8, whose counter begins anew at each call in the dynamic graph.

    Args:
        counter_name: accepted for compatibility.
        begin: the first number.
        step: what is added.
    """
    return fill_constant([1], "int64", begin - 1 + step)
