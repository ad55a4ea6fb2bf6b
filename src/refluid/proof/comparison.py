"""Where two executions of one program differ first, as bits.

Compared are the metrics and records of every step (but for times), a digest of every leaf of the
captured state after every step, and the newest checkpoints' files as bytes. The earliest step that
differs is where the cause is to be looked for; what differs later follows from it.
May import: checkpoint, proof.attempt, observe, state.
"""

from __future__ import annotations

import filecmp
import itertools
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from refluid.checkpoint.store import Store
from refluid.observe.journal.reader import JournalReader
from refluid.observe.record import Record, to_body
from refluid.proof.attempt import newest_checkpoint, run_directories
from refluid.state.digest import digests

__all__ = ["Difference", "first_difference", "irrelevant_leaves"]

_SHOWN = 8
_OF_GENERATORS = ("generators.", "progress.position.")
# a time is another one in each execution
_TIMES = "_per_s"
_FILES = ("state.safetensors", "state.json")
# what decides about the next steps comes before what they changed
_ORDER = ("generators", "progress", "objects", "environment", "config")


@dataclass(frozen=True)
class Difference:
    """The earliest difference of a run.

    Args:
        run: the run's directory, below the folder of all runs.
        step: where it is, or None if it is at no step.
        parts: what differs there: metrics with their two values, then leaves of the state.
    """

    run: Path
    step: int | None
    parts: list[str]

    def __str__(self) -> str:
        where = "" if self.step is None else f" at step {self.step:,}"
        shown = self.parts[:_SHOWN]
        if len(self.parts) > _SHOWN:
            shown = [*shown, f"and {len(self.parts) - _SHOWN} more"]
        return "\n".join([f"{self.run} differs first{where}:", *(f"    {part}" for part in shown)])


def first_difference(
    reference: Path, other: Path, ignored: frozenset[str] = frozenset()
) -> Difference | None:
    """Compare all runs below two folders.

    Args:
        reference: what the uninterrupted program left; a step has the number that `Run.log` gives.
        other: what another execution of it left.
        ignored: leaves of the state that are not compared.

    Returns:
        The first difference of the first run that has one, or None if everything is equal as bits.

    Raises:
        RunError: a journal cannot be read.
    """
    for directory in run_directories(reference):
        run = directory.relative_to(reference)
        if not (other / run / "run.sqlite").is_file():
            return Difference(run, None, ["it is missing"])
        for compare in (_in_journals, _in_files):
            found = compare(run, directory, other / run, ignored)
            if found is not None:
                return found
    for directory in run_directories(other):
        run = directory.relative_to(other)
        if not (reference / run / "run.sqlite").is_file():
            return Difference(run, None, ["the uninterrupted program made no such run"])
    return None


def irrelevant_leaves(reference: Path, other: Path) -> frozenset[str]:
    """Return what differs of generators' states between two executions, at any step.

    A program that neither seeds nor uses a generator has another state of it in each execution. If
    nothing else differs, that state does not matter. The position in the data may hold some too.

    Args:
        reference: a folder of runs.
        other: another one, of the same runs.

    Returns:
        Paths of leaves.
    """
    found = set[str]()
    for directory in run_directories(reference):
        run = directory.relative_to(reference)
        with (
            JournalReader(directory / "run.sqlite") as left,
            JournalReader(other / run / "run.sqlite") as right,
        ):
            for one, two in zip(left.digests(), right.digests(), strict=False):
                if one != two:
                    found |= {one[1], two[1]}
    return frozenset(leaf for leaf in found if leaf.startswith(_OF_GENERATORS))


def _in_journals(
    run: Path, reference: Path, other: Path, ignored: frozenset[str]
) -> Difference | None:
    with (
        JournalReader(reference / "run.sqlite") as left,
        JournalReader(other / "run.sqlite") as right,
    ):
        found = [
            _first(_without_times(left), _without_times(right), _told_metric),
            _first(left.records(), right.records(), _told_record),
            _first(
                (row for row in left.digests() if row[1] not in ignored),
                (row for row in right.digests() if row[1] not in ignored),
                _told_leaf,
            ),
        ]
    steps = [step for step, _ in filter(None, found)]
    if not steps:
        return None
    at_first = [parts for step, parts in filter(None, found) if step == min(steps)]
    return Difference(run, min(steps), list(itertools.chain(*at_first)))


def _without_times(journal: JournalReader) -> Iterator[tuple[int, str, float]]:
    return (row for row in journal.metrics() if not row[1].endswith(_TIMES))


def _first(
    left: Iterable[tuple[int, str, Any]], right: Iterable[tuple[int, str, Any]], told: Any
) -> tuple[int, list[str]] | None:
    """Return the first step that differs, and what differs there."""
    nothing: tuple[int, dict[str, Any]] = (2**63, {})
    for one, two in itertools.zip_longest(_by_step(left), _by_step(right), fillvalue=nothing):
        step = min(one[0], two[0])
        ours, theirs = (rows if at == step else {} for at, rows in (one, two))
        names = [name for name in ours.keys() | theirs.keys() if not _equal(ours, theirs, name)]
        if names:
            parts = [told(name, ours.get(name), theirs.get(name)) for name in _sorted(names)]
            return step, parts
    return None


def _by_step(rows: Iterable[tuple[int, str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    for step, group in itertools.groupby(rows, itemgetter(0)):
        yield step, {name: value for _, name, value in group}


def _equal(ours: dict[str, Any], theirs: dict[str, Any], name: str) -> bool:
    one, two = ours.get(name), theirs.get(name)
    if isinstance(one, float) and isinstance(two, float):
        # -0.0 equals 0.0, and NaN not itself
        return struct.pack("<d", one) == struct.pack("<d", two)
    if isinstance(one, Record) and isinstance(two, Record):
        return type(one) is type(two) and to_body(one) == to_body(two)
    return one == two


def _sorted(names: Iterable[str]) -> list[str]:
    ranks = {group: rank for rank, group in enumerate(_ORDER)}
    return sorted(names, key=lambda name: (ranks.get(name.partition(".")[0], -1), name))


def _told_metric(name: str, one: float | None, two: float | None) -> str:
    if one is None:
        return f"metric {name}: not logged uninterrupted, {two!r} after kills"
    if two is None:
        return f"metric {name}: {one!r} uninterrupted, missing after kills"
    return f"metric {name}: {one!r} uninterrupted, {two!r} after kills"


def _told_record(name: str, one: Record | None, two: Record | None) -> str:
    if one is None:
        return f"record {name}: not there uninterrupted"
    return f"record {name}" + (": missing after kills" if two is None else "")


def _told_leaf(name: str, one: str | None, two: str | None) -> str:
    if one is None:
        return f"state {name}: not there uninterrupted"
    return f"state {name}" + (": missing after kills" if two is None else "")


def _in_files(
    run: Path, reference: Path, other: Path, ignored: frozenset[str]
) -> Difference | None:
    left, right = newest_checkpoint(reference), newest_checkpoint(other)
    if left is None or right is None or left.name != right.name:
        names = (path.name if path else "none" for path in (left, right))
        part = "newest checkpoint: {} uninterrupted, {} after kills".format(*names)
        return Difference(run, None, [part])
    if all(filecmp.cmp(left / name, right / name, shallow=False) for name in _FILES):
        return None
    one, two = _leaves(reference, left), _leaves(other, right)
    names = [name for name in one.keys() | two.keys() if one.get(name) != two.get(name)]
    parts = [_told_leaf(name, one.get(name), two.get(name)) for name in _sorted(names)]
    if not parts:
        parts = ["the same values in other bytes"]
    elif ignored.issuperset(names):
        return None
    return Difference(run, int(left.name.partition("-")[2]), parts)


def _leaves(run: Path, checkpoint: Path) -> dict[str, str]:
    with JournalReader(run / "run.sqlite") as journal:
        store = Store(checkpoint.parent, journal.run)
    return digests(store.load(int(checkpoint.name.partition("-")[2])).packed)
