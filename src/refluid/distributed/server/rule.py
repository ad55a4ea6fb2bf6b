"""What an optimizer is to a server: values of parameters, and how gradients change them.

A trainer has a rule for the whole model, made of the program's optimizer; `part` cuts out of it
what goes to one server, which Ray pickles. Its settings, such as the learning rate, stay with the
program, which may change them at any step, and travel with every push. Its state, such as moments,
lives on the servers, and comes back when the program saves.
May import: torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch

__all__ = ["Rule"]


class Rule(Protocol):
    """An optimizer with the parameters it updates.

    Attributes:
        averaged: gradients are divided by the number of trainers; else the program has done that.
        whole: one server has to hold all parameters, as for a clip by the norm of all gradients.
    """

    averaged: bool
    whole: bool

    def part(self, indices: Sequence[int]) -> Rule:
        """Return a rule on the CPU for some of the parameters, which knows nothing of this one."""
        ...

    def values(self) -> Sequence[torch.Tensor]:
        """Return the parameters' values, which are written in place."""
        ...

    def settings(self) -> Any:
        """Return what the program may change between steps, as a value that `==` compares."""
        ...

    def apply(self, gradients: Sequence[torch.Tensor | None], settings: Any) -> None:
        """Update the values; a parameter without a gradient is left alone."""
        ...

    def state(self) -> list[dict[str, Any]]:
        """Return what is remembered of each parameter; an empty dictionary before its update."""
        ...

    def load(self, state: Sequence[dict[str, Any]]) -> None:
        """Remember what another such rule remembered."""
        ...
