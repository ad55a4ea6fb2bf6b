"""Strategies that programs hand to a backward pass and to parallel training.

May import: nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["BackwardStrategy", "ParallelStrategy"]


class BackwardStrategy:
    """How gradients of branches are summed; torch fixes the order, so this has no effect."""

    __module__ = "paddle.fluid.core_avx"

    def __init__(self) -> None:
        self.sort_sum_gradient = False


@dataclass
class ParallelStrategy:
    """How many processes train together, and which one this is."""

    nranks: int = 1
    local_rank: int = 0
    trainer_endpoints: list[str] = field(default_factory=list)
    current_endpoint: str = ""
