"""What a training loop is given for each of its steps. May import: nothing of refluid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run.

    Args:
        number: how many steps of the run came before it, those of earlier processes included.
        epoch: the epoch that it belongs to, from 0.
        index: its place in the epoch, from 0.
        last: it is the epoch's last: the place to validate, inside the loop, so that a run that
            is stopped after it does not leave it out.
        batch: what the data gave.
    """

    number: int
    epoch: int
    index: int
    last: bool
    batch: Any
