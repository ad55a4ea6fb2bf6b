"""The checkpoints of one run: written so that a kill leaves none by half, verified when read.

    checkpoints/
      step-00000400/
      step-00000500.damaged/          is not what was saved; set aside, never read again
      .step-00000600.3f2a91c0.tmp/    is being written or deleted; a killed one's is removed later

A checkpoint gets its name in one step, when all of it lies on the disk, and loses it in one step
before any of it is deleted. So whatever has the name was whole once; that it still is, is verified
when it is read. `step_folder` knows what is inside; docs/format.md describes all of it.

A run directory has one writer, so nothing here is locked.
May import: errors, refluid.state, atomic, manifest, step_folder.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from refluid.checkpoint import step_folder
from refluid.checkpoint.atomic import make_folder, sync_folder
from refluid.checkpoint.manifest import FileRecord
from refluid.checkpoint.step_folder import Damaged, describe
from refluid.errors import CheckpointError
from refluid.state.tree import Packed

__all__ = ["Damage", "Loaded", "Store", "run_of"]

_MAX_STEP = 10**18
_NAME = re.compile(r"step-(\d{8,18})")
_TEMPORARY = re.compile(r"\.step-\d{8,18}\.[0-9a-f]{8}\.tmp")


@dataclass(frozen=True)
class Loaded:
    """A checkpoint that was read and found sound; `num_ranks` processes have saved it."""

    step: int
    packed: Packed
    metrics: Mapping[str, float]
    path: Path
    num_ranks: int = 1


@dataclass(frozen=True)
class Damage:
    """A checkpoint that cannot be used: where it lies now, its step, and what is wrong with it."""

    path: Path
    step: int
    reason: str


def run_of(folder: Path) -> str | None:
    """Return the id of the run whose checkpoints are in `folder`, as the newest sound one says.

    It is for a run that has lost its journal: under another id, it would not accept its own
    checkpoints. None if there is no checkpoint that says it.
    """
    for step in reversed(_steps_in(folder)):
        # what is wrong with this one, `Store.newest` will say
        with contextlib.suppress(Damaged, CheckpointError):
            return step_folder.glance(folder / _name(step), None, step).run
    return None


class Store:
    """The checkpoints in one folder.

    Args:
        folder: made when the first checkpoint is saved.
        run: the id of the run; a checkpoint of another run is not loaded.

    Attributes:
        damaged: what was found unusable so far and set aside, in the order in which it was found.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self._folder = Path(folder)
        self._run = run
        self._sound: set[int] = set()  # what this process wrote, or read in full
        self._metrics: dict[int, Mapping[str, float]] = {}
        self.damaged: list[Damage] = []

    def steps(self) -> list[int]:
        """Return the steps of which there is a checkpoint, ascending; none is verified."""
        return _steps_in(self._folder)

    def save(
        self,
        step: int,
        packed: Packed,
        metrics: Mapping[str, float],
        others: Callable[[Path], Mapping[str, FileRecord]] | None = None,
    ) -> Path:
        """Write a checkpoint, and force it to the disk.

        What this store has itself saved or loaded as `step` is not written again: one step of one
        run is one state. Anything else of that name is set aside, as it is not this run's past.

        Args:
            step: how many steps have been done, from 0 on.
            packed: must not change while this works.
            metrics: kept with it, for `retain`.
            others: called with the folder that is being written; has the other ranks write their
                parts there (`step_folder.write_part`), and returns what they have written.

        Returns:
            The checkpoint's folder.

        Raises:
            CheckpointError: it cannot be written. Nothing of it is left, and the checkpoints before
                it are as they were.

        Effects:
            Removes what a killed save or deletion left behind.
        """
        if type(step) is not int or not 0 <= step < _MAX_STEP:
            raise ValueError(f"`step` must be an integer from 0 on, but is {step!r}.")
        place = self._place(step)
        if step in self._sound and place.is_dir():
            return place
        numbers = {str(name): float(value) for name, value in metrics.items()}
        try:
            make_folder(self._folder)
            self._remove_leftovers()
            self._publish(step, packed, numbers, others)
        except OSError as error:
            raise CheckpointError(
                f"{place} cannot be written: {describe(error)}. The checkpoints before it are as "
                "they were; make room or give access, and the next one will be written."
            ) from error
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"{place} cannot be written: {error}") from error
        self._sound.add(step)
        self._metrics[step] = numbers
        return place

    def load(self, step: int, rank: int = 0) -> Loaded:
        """Read the checkpoint of one step, leaving everything as it is.

        Args:
            step: of the checkpoint.
            rank: whose state is wanted; rank 0's is given to one that has not saved.

        Raises:
            CheckpointError: there is none, it is damaged, of another run or of a later version of
                the format, or it cannot be read.
        """
        try:
            return self._load(step, rank)
        except Damaged as error:
            raise CheckpointError(f"{self._place(step)} cannot be loaded: {error}.") from error

    def newest(self) -> Loaded | None:
        """Read the newest checkpoint that is sound; None if there is none.

        Raises:
            CheckpointError: a checkpoint can be neither used nor called damaged: it is of a later
                version of the format, may not be read, or does not fit into memory.

        Effects:
            Checkpoints that are damaged or of another run get `.damaged` after their name, where
            the folder can be written to, and are listed in `damaged`.
        """
        for step in reversed(self.steps()):
            try:
                return self._load(step, 0)
            except Damaged as error:
                damage = Damage(self._place(step), step, str(error))
            try:
                self._set_aside(step, damage.reason)
            except OSError:
                self.damaged.append(damage)  # it stays where it is, and is passed over
        return None

    def retain(
        self, keep_last: int, best: Callable[[Mapping[str, float]], float] | None = None
    ) -> list[int]:
        """Delete checkpoints that are no longer wanted.

        Only those older than the newest that this store has saved or loaded are deleted; until it
        has, none are. Those whose manifest or sizes are wrong do not count, and are set aside.

        Args:
            keep_last: how many to keep at the end, at least 1.
            best: maps a checkpoint's metrics to a number; the checkpoint with the highest is kept
                too, the first of several, never one of NaN.

        Returns:
            The steps that were deleted.

        Raises:
            CheckpointError: one cannot be deleted.
        """
        if keep_last < 1:
            raise ValueError(f"`keep_last` must be at least 1, but is {keep_last}.")
        steps = self.steps()
        newest = max(self._sound.intersection(steps), default=-1)
        usable = {step for step in steps if step <= newest and self._seems_sound(step)}
        kept = {*sorted(usable)[-keep_last:], *self._best(usable, best)}
        removed = sorted(usable - kept)
        for step in removed:
            try:
                self._delete(step)
            except OSError as error:
                raise CheckpointError(
                    f"{self._place(step)} cannot be deleted: {describe(error)}. "
                    "Delete it by hand, or give access."
                ) from error
        return removed

    def _publish(
        self,
        step: int,
        packed: Packed,
        metrics: Mapping[str, float],
        others: Callable[[Path], Mapping[str, FileRecord]] | None,
    ) -> None:
        temporary = self._temporary(step)
        temporary.mkdir()
        try:
            files = step_folder.write_state(temporary, packed)
            if others is not None:
                files.update(others(temporary))
            step_folder.seal(temporary, self._run, step, metrics, files)
            sync_folder(temporary)
            if os.path.lexists(self._place(step)):
                self._set_aside(step, "it is not what this run had at that step")
            temporary.rename(self._place(step))
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync_folder(self._folder)

    def _remove_leftovers(self) -> None:
        with os.scandir(self._folder) as entries:
            abandoned = [entry for entry in entries if _TEMPORARY.fullmatch(entry.name)]
        for entry in abandoned:
            shutil.rmtree(entry.path, ignore_errors=True)

    def _delete(self, step: int) -> None:
        # First the name, in one step and for good: what is deleted by half must not have it
        temporary = self._temporary(step)
        self._place(step).rename(temporary)
        sync_folder(self._folder)
        shutil.rmtree(temporary)
        self._sound.discard(step)
        self._metrics.pop(step, None)

    def _set_aside(self, step: int, reason: str) -> None:
        place = self._place(step)
        target = place.with_name(f"{place.name}.damaged")
        number = 1
        while os.path.lexists(target):
            number += 1
            target = place.with_name(f"{place.name}.damaged-{number}")
        place.rename(target)
        sync_folder(self._folder)
        self.damaged.append(Damage(target, step, reason))

    def _place(self, step: int) -> Path:
        return self._folder / _name(step)

    def _temporary(self, step: int) -> Path:
        return self._folder / f".{_name(step)}.{secrets.token_hex(4)}.tmp"

    def _load(self, step: int, rank: int) -> Loaded:
        place = self._place(step)
        self._sound.discard(step)
        packed, metrics, num_ranks = step_folder.read(place, self._run, step, rank)
        self._sound.add(step)
        self._metrics[step] = metrics
        return Loaded(step, packed, metrics, place, num_ranks)

    def _seems_sound(self, step: int) -> bool:
        """Return whether manifest and sizes are right; set the checkpoint aside if they are not."""
        if step not in self._metrics:
            place = self._place(step)
            try:
                self._metrics[step] = step_folder.glance(place, self._run, step).metrics
            except Damaged as error:
                with contextlib.suppress(OSError):
                    self._set_aside(step, str(error))
                return False
            except CheckpointError:
                return False  # not ours to judge, so not ours to delete
        return True

    def _best(
        self, steps: Iterable[int], best: Callable[[Mapping[str, float]], float] | None
    ) -> list[int]:
        if best is None:
            return []
        scores = {step: best(self._metrics[step]) for step in sorted(steps)}
        numbers = [step for step, score in scores.items() if not math.isnan(score)]
        return [max(numbers, key=scores.__getitem__)] if numbers else []


def _name(step: int) -> str:
    return f"step-{step:08d}"


def _steps_in(folder: Path) -> list[int]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CheckpointError(
            f"{folder} cannot be read: {describe(error)}. Give access to it."
        ) from error
    found = [match for match in map(_NAME.fullmatch, names) if match]
    return sorted(int(match[1]) for match in found if match[0] == _name(int(match[1])))
