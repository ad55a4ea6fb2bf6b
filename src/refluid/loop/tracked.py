"""The objects whose state a run saves, by name. May import: torch, distributed, errors, state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import torch
from torch.nn import Module

from refluid.distributed.same import trained_together
from refluid.errors import CheckpointError, RunError
from refluid.state import holder

__all__ = ["OWN", "Tracked"]

# begins the names of what a run adds itself, to observe: no step depends on it, so a checkpoint may
# be without it, and the program may leave it out later
OWN = "refluid."


class Tracked:
    """Objects by name."""

    def __init__(self) -> None:
        self._objects: dict[str, Any] = {}

    def add(self, name: str, obj: Any) -> None:
        """Track an object.

        Raises:
            RunError: the name is taken.
            StateError: the object has no state that can be captured.
        """
        if name in self._objects:
            raise RunError(f"`{name}` is tracked already: give the second one another name.")
        holder.check(name, obj)
        self._objects[name] = obj

    def objects(self) -> list[Any]:
        """Return all objects in the order in which they were tracked."""
        return list(self._objects.values())

    def check_any(self) -> None:
        """See to it that there is something to save.

        Raises:
            RunError: nothing is tracked.
        """
        if not self._objects:
            raise RunError(
                "nothing is tracked: call run.track(model=model, optimizer=optimizer) before "
                "run.steps, with everything that has state."
            )

    def restore(self, states: Mapping[str, Any]) -> None:
        """Put the state of every object back, in the order in which they were tracked.

        Raises:
            CheckpointError: the names are not those of the objects, or a state does not fit.
        """
        missing = [name for name in self._objects if name not in states and not _is_own(name)]
        if missing:
            raise CheckpointError(
                f"the checkpoint has no state of {_listed(missing)}, but of {_listed(states)}: "
                "track what was tracked when it was saved, or begin another run in another "
                "directory."
            )
        left = [name for name in states if name not in self._objects and not _is_own(name)]
        if left:
            raise CheckpointError(
                f"the checkpoint also holds the state of {_listed(left)}, which the program no "
                "longer tracks: track it before run.steps, or begin another run in another "
                "directory."
            )
        for name, obj in self._objects.items():
            if name in states:
                holder.restore(name, obj, states[name])

    def same_everywhere(self, names: Collection[str]) -> list[str]:
        """Return those of the names of captured tensors that are the same in all processes."""
        found = []
        for name, obj in self._objects.items():
            together = trained_together(obj) if isinstance(obj, Module) else []
            if together:
                # by their memory: fluid's state_dict has other names than named_parameters
                places = {torch.Tensor.data_ptr(parameter) for parameter in together}
                found += [
                    f"objects.{name}.{key}"
                    for key, value in holder.capture(obj).items()
                    if isinstance(value, torch.Tensor) and torch.Tensor.data_ptr(value) in places
                ]
        # of a tensor with two names one is captured
        return [name for name in found if name in names]

    def capture(self) -> dict[str, Any]:
        """Return the state of every object, by name."""
        return {name: holder.capture(obj) for name, obj in self._objects.items()}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"


def _is_own(name: str) -> bool:
    return name.startswith(OWN)
