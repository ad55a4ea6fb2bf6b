"""What trainers and servers say to each other, and what a server keeps its checkpoints by.

May import: state, errors; its own package's buffer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from refluid.distributed.server.buffer import Buffer
from refluid.errors import DistributedError
from refluid.state import tree

__all__ = ["Answer", "Push", "Store", "Unready"]


class Unready(DistributedError):
    """The server was lost and has begun again, so the trainer has to greet it."""


class _Loaded(Protocol):
    @property
    def packed(self) -> tree.Packed: ...


class Store(Protocol):
    """Where a server keeps its checkpoints; `refluid.checkpoint.store.Store` is one."""

    def steps(self) -> list[int]:
        """Return the numbers of the checkpoints."""
        ...

    def save(self, step: int, packed: tree.Packed, metrics: Mapping[str, float]) -> Path:
        """Write one, at once and for good or not at all."""
        ...

    def newest(self) -> _Loaded | None:
        """Read the newest that is sound."""
        ...

    def retain(self, keep_last: int) -> list[int]:
        """Delete older ones."""
        ...


@dataclass(frozen=True)
class Push:
    """The gradients of one step of one trainer.

    Args:
        rank: the trainer.
        step: which of its steps, from 1.
        generation: of the state that the step began from.
        settings: of the trainer's optimizer.
        present: for each parameter, whether it has a gradient.
        gradients: of those that have one.
    """

    rank: int
    step: int
    generation: int
    settings: Any
    present: Sequence[bool]
    gradients: Buffer


@dataclass(frozen=True)
class Answer:
    """What a trainer learns from a server.

    Args:
        step: up to which step of the trainer everything is applied.
        generation: of the server's state.
        values: of the parameters.
        equipped: whether the server has the optimizer.
        begun: what is to be said about the server's beginning, if this trainer began it.
    """

    step: int
    generation: int
    values: Buffer
    equipped: bool
    begun: str = ""
