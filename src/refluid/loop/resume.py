"""What a run goes on from: found, checked, and told in one line.

May import: checkpoint, errors, observe, state.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from refluid.checkpoint.store import Loaded, Store
from refluid.errors import CheckpointError, RunError
from refluid.observe.journal.journal import Event, Journal
from refluid.state.environment import differences
from refluid.state.tree import unpack

__all__ = ["Progress", "Resumption", "as_resumption", "newest", "report"]


def report(sentence: str) -> None:
    """Say something about the run on standard error, where it does not mix with its results."""
    sys.stderr.write(f"refluid: {sentence}\n")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run has come.

    Args:
        step: how many steps are complete.
        epoch: the epoch of the last of them.
        loop: which of the program's loops they are in, from 0.
        ended: that loop was ended by `Run.stop`.
        position: where the next step's data lie, in the words of the source.
        metrics: see `Metrics.capture`.
        patience: see `Patience.capture`; None in checkpoints from before there was any.
        ending: the loop ends with the step after, as the ranks have agreed.
    """

    step: int
    epoch: int
    loop: int
    ended: bool
    position: Any
    metrics: dict[str, Any]
    patience: dict[str, Any] | None = None
    ending: bool = False

    def plain(self) -> dict[str, Any]:
        """Return the fields as a dictionary."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, kw_only=True)
class Resumption:
    """A checkpoint that is gone on from.

    Args:
        progress: how far it is.
        objects: the states of tracked objects, by name.
        generators: see `capture_generators`.
        environment: the fingerprint of the process that saved it.
        config: the settings of that process.
        num_ranks: how many processes have saved it.
        is_new: the process that goes on is none of them, and takes the place of rank 0's.
    """

    progress: Progress
    objects: dict[str, Any]
    generators: dict[str, Any]
    environment: dict[str, str]
    config: dict[str, Any]
    num_ranks: int
    is_new: bool

    def check_environment(
        self, environment: dict[str, str], config: Mapping[str, Any], strict: bool
    ) -> str:
        """Tell what has changed since then that can change the numbers, and return it.

        Raises:
            RunError: something has, and `strict` is true.
        """
        changed = differences(self.environment, environment) + _config_differences(
            self.config, config
        )
        listed = "; ".join(changed)
        if changed and strict:
            raise RunError(
                f"since the last save has changed: {listed}. Change it back, or leave out "
                "`strict` to go on with numbers that may differ."
            )
        if changed:
            report(
                f"since the last save has changed: {listed}; the numbers may differ from here on"
            )
        return listed


def newest(resume: str, directory: Path, journal: Journal, store: Store) -> Loaded | None:
    """Return the checkpoint that the run in `directory` goes on from, or None if it begins.

    Args:
        resume: "auto", "must" or "never"; see `Run`.
        directory: of the run, for messages.
        journal: of the run, open. Damaged checkpoints are noted in it.
        store: of the run.

    Raises:
        RunError: `resume` forbids what was found.
        CheckpointError: a checkpoint is of a newer version.
    """
    if resume == "never" and (store.steps() or journal.last_step() is not None):
        raise RunError(
            f"{directory} holds a run, and `resume` is 'never': choose another directory, or "
            "remove this one."
        )
    loaded = store.newest()
    for damage in store.damaged:
        used = "the run begins anew" if loaded is None else f"step {loaded.step:,} is used instead"
        report(f"{damage.path} is damaged ({damage.reason}); it is kept, and {used}")
        journal.append(events=[Event(step=damage.step, kind="damaged", text=damage.reason)])
    if loaded is None and resume == "must":
        raise RunError(
            f"{directory} holds no checkpoint to go on from, and `resume` is 'must': check "
            "the directory, or leave out `resume` to begin."
        )
    return loaded


def as_resumption(loaded: Loaded, rank: int) -> Resumption:
    """Return what a process goes on from.

    Args:
        loaded: the part of the checkpoint that is for it.
        rank: its number among the processes of the run.

    Raises:
        CheckpointError: it is not one of a run.
    """
    value = unpack(loaded.packed)
    try:
        return Resumption(
            progress=Progress(**value["progress"]),
            objects=value["objects"],
            generators=value["generators"],
            environment=value["environment"],
            config=value["config"],
            num_ranks=loaded.num_ranks,
            is_new=rank >= loaded.num_ranks,
        )
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"{loaded.path} holds no state of a run (it has no {error}): it was written by "
            "something else."
        ) from None


def _config_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [
        f"`{name}` in config: {before.get(name)!r} before, {now.get(name)!r} now"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
