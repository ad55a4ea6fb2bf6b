"""The objects whose state a run saves, by name. May import: errors, state."""

from __future__ import annotations

from typing import Any

from refluid.errors import CheckpointError, RunError
from refluid.state import holder

__all__ = ["Tracked"]


class Tracked:
    """Objects by name, and the states of a checkpoint that still wait for theirs."""

    def __init__(self) -> None:
        self._objects: dict[str, Any] = {}
        self._waiting: dict[str, Any] | None = None

    def await_states(self, states: dict[str, Any]) -> None:
        """Restore each of `states` when the object of its name is added."""
        self._waiting = states

    def add(self, name: str, obj: Any) -> None:
        """Track an object, and restore its state if one is waiting.

        Raises:
            RunError: the name is taken.
            StateError: the object has no state that can be captured.
            CheckpointError: the checkpoint has no state of that name, or one that does not fit.
        """
        if name in self._objects:
            raise RunError(f"`{name}` is tracked already: give the second one another name.")
        holder.check(name, obj)
        if self._waiting is not None:
            if name not in self._waiting:
                raise CheckpointError(
                    f"the checkpoint has no state of `{name}`, but of "
                    f"{_listed(self._waiting)}: track what was tracked when it was saved, or "
                    "begin another run in another directory."
                )
            holder.restore(name, obj, self._waiting.pop(name))
        self._objects[name] = obj

    def check_complete(self) -> None:
        """See to it that everything has its state.

        Raises:
            RunError: nothing is tracked.
            CheckpointError: the checkpoint holds the state of something that is not tracked.
        """
        if not self._objects:
            raise RunError(
                "nothing is tracked: call run.track(model=model, optimizer=optimizer) before "
                "run.steps, with everything that has state."
            )
        if self._waiting:
            raise CheckpointError(
                f"the checkpoint also holds the state of {_listed(self._waiting)}, which the "
                "program no longer tracks: track it before run.steps, or begin another run in "
                "another directory."
            )
        self._waiting = None

    def capture(self) -> dict[str, Any]:
        """Return the state of every object, by name."""
        return {name: holder.capture(obj) for name, obj in self._objects.items()}


def _listed(names: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"
