"""The checkpoints of a run, as they lie there: none is opened, which reading them in full would be.

May import: observe.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from refluid.observe.run.point import Series, best_point

__all__ = ["Checkpoint", "checkpoints_in"]

_NAME = re.compile(r"step-(\d{8,18})")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint, as it lies there.

    Args:
        path: its folder.
        step: how many steps are in it.
        size_bytes: of all its files.
        time: when it was written, in seconds since 1970.
        best_of: the metrics whose best value in the whole run it was made with.
    """

    path: Path
    step: int
    size_bytes: int
    time: float
    best_of: tuple[str, ...] = ()


def checkpoints_in(
    directory: Path, validations: Mapping[str, Series] | None = None
) -> list[Checkpoint]:
    """Return the checkpoints of a run, ascending; none is opened.

    Args:
        directory: of the run.
        validations: steps and values of the metrics by which one may be the best.
    """
    found: list[Checkpoint] = []
    # the run may delete one at any time
    with contextlib.suppress(OSError), os.scandir(directory / "checkpoints") as entries:
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            with contextlib.suppress(OSError):
                if match and entry.is_dir(follow_symlinks=False):
                    found.append(_checkpoint(Path(entry.path), int(match[1])))
    found.sort(key=lambda checkpoint: checkpoint.step)
    best = dict(_best_steps([checkpoint.step for checkpoint in found], validations or {}))
    return [
        replace(each, best_of=tuple(name for name, step in best.items() if step == each.step))
        for each in found
    ]


def _checkpoint(path: Path, step: int) -> Checkpoint:
    with os.scandir(path) as entries:
        stats = [entry.stat(follow_symlinks=False) for entry in entries]
    return Checkpoint(path, step, sum(stat.st_size for stat in stats), path.stat().st_mtime)


def _best_steps(
    steps: Sequence[int], validations: Mapping[str, Series]
) -> Iterator[tuple[str, int]]:
    """Iterate over metrics and the first checkpoint that was made with their best value."""
    for name, (measured, values) in validations.items():
        best = best_point(name, (measured, values))
        for step in steps:
            # a checkpoint of N steps was made with what the steps before N have logged
            index = int(np.searchsorted(measured, step)) - 1
            if best is not None and index >= 0 and values[index] == best.value:
                yield name, step
                break
