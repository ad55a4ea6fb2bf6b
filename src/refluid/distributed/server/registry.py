"""Which parameters are on servers: asked by every optimizer at every step, so it loads nothing.

May import: nothing of refluid.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from refluid.distributed.server.trainer import Trainer

__all__ = ["add", "remove", "trainer_of"]

_trainers: list[Trainer] = []
_numbers = itertools.count()


def add(trainer: Trainer) -> int:
    """Note that a trainer's parameters are on servers from now on; return the model's number."""
    _trainers.append(trainer)
    return next(_numbers)


def remove(trainer: Trainer) -> None:
    """Note that they are no longer."""
    if trainer in _trainers:
        _trainers.remove(trainer)


def trainer_of(parameters: Sequence[Any]) -> Trainer | None:
    """Return the trainer that has the first of these parameters on servers, None if none has."""
    if not _trainers or not parameters:
        return None
    return next((trainer for trainer in _trainers if trainer.holds(parameters[0])), None)
