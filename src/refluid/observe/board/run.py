"""One run as a board shows it.

An outline of the journal is kept: which curves and records there are, and where they end. It is
brought up to date by what is new since, and made anew when the journal was cut back. Points and
records themselves are read when they are asked for.
May import: errors, numpy, observe.board.reader, observe.journal.format, observe.record.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from refluid.errors import RunError
from refluid.observe.board.reader import BoardReader, Extent
from refluid.observe.record import Gallery, Record, kind_of

__all__ = ["BoardRun", "Outline"]

# a curve with few points in as many steps takes long to read, and is kept
_LONG = 20_000

Points = list[tuple[int, float]]


@dataclass(frozen=True, kw_only=True)
class Outline:
    """What a journal holds.

    Args:
        run: the id of the run.
        age: changes when rows may have been taken back.
        settled: the extents of all metrics before the step `until`.
        until: the last step, which may still get more.
        extents: of all metrics.
        kinds: the last step of each kind and name of records.
        config: the settings of the process that started last.
        clock: steps, and when they were reached.
    """

    run: str = ""
    age: tuple[int, int] = (0, 0)
    settled: Mapping[str, Extent] = field(default_factory=dict)
    until: int = 0
    extents: Mapping[str, Extent] = field(default_factory=dict)
    kinds: Mapping[tuple[str, str], int] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    clock: tuple[np.ndarray, np.ndarray] = field(default_factory=lambda: (np.zeros(1), np.zeros(1)))


class BoardRun:
    """A run below the folder of a board.

    `refresh` is called by one thread at a time; the other methods may be called by any, and work
    on the outline of the last refresh. They raise RunError if the journal cannot be read.

    Args:
        name: under which it is shown.
        journal: the file.
    """

    def __init__(self, name: str, journal: Path) -> None:
        self.name = name
        self.journal = journal
        self.outline = Outline()
        self._lengths: dict[str, tuple[int, int]] = {}
        self._kept: dict[str, tuple[object, Points]] = {}

    def refresh(self) -> None:
        """Bring the outline up to date.

        Raises:
            RunError: the journal cannot be read.
        """
        now = self._written()
        with BoardReader(self.journal) as reader, reader.snapshot():
            old, age, last = self.outline, reader.age(), reader.last()
            if (old.run, old.age) != (reader.run, age) or last < old.until:
                old = Outline()
            settled = _joined(old.settled, reader.extents(old.until, last - 1))
            self.outline = Outline(
                run=reader.run,
                age=age,
                settled=settled,
                until=max(last, 0),
                extents=_joined(settled, reader.extents(last, last)),
                kinds=reader.kinds(),
                config=dict(starts[-1].config) if (starts := reader.starts()) else {},
                clock=reader.clock(now),
            )

    @property
    def start_time(self) -> float:
        """When the run began, in seconds since 1970."""
        return float(self.outline.clock[1][0])

    def times(self, steps: Sequence[int]) -> list[float]:
        """Return about when steps were reached, in seconds since 1970."""
        return np.interp(steps, *self.outline.clock).tolist()

    def points(self, name: str, limit: int) -> Points:
        """Return steps and values of a metric: all, or some with the last.

        Args:
            name: of the metric.
            limit: return at most so many points, from 4.
        """
        outline = self.outline
        settled, last = outline.settled.get(name), outline.until
        with BoardReader(self.journal) as reader:
            found = [] if settled is None else self._settled(reader, outline, name, limit - 1)
            if outline.extents[name].last == last:
                found = found + reader.points(name, Extent(1, last, last), 3)
        return found

    def _settled(self, reader: BoardReader, outline: Outline, name: str, limit: int) -> Points:
        """Return points before the last step, which stay as they are."""
        extent = outline.settled[name]
        key = outline.run, outline.age, extent, limit
        kept = self._kept.get(name)
        if kept is not None and kept[0] == key:
            return kept[1]
        points = reader.points(name, extent, limit)
        if extent.last - extent.first >= _LONG:
            self._kept[name] = key, points
        return points

    def last_points(self, names: Sequence[str]) -> dict[str, tuple[int, float]]:
        """Return the last step of metrics with its value."""
        found = {}
        with BoardReader(self.journal) as reader:
            for name in names:
                end = self.outline.extents[name].last
                # nothing is left of it if the run has gone on from before
                for point in reader.points(name, Extent(1, end, end), 3):
                    found[name] = point
        return found

    def names(self, *kinds: type[Record]) -> dict[str, type[Record]]:
        """Return the names of records of some kinds, with the kind that each had last."""
        own = {kind_of(kind): kind for kind in kinds}
        steps = self.outline.kinds
        found = {
            name: own[kind]
            for kind, name in sorted(steps, key=lambda each: steps[each])
            if kind in own
        }
        return dict(sorted(found.items()))

    def records(self, kind: type[Any], name: str, limit: int) -> list[tuple[int, Any]]:
        """Return steps and records of a kind and name: all, or `limit` of them with the last."""
        with BoardReader(self.journal) as reader:
            steps = reader.steps_of(kind, name)
            if len(steps) > limit:
                steps = [steps[k] for k in np.linspace(0, len(steps) - 1, limit, dtype=int)]
            found = []
            for step in steps:
                # one that was taken back meanwhile is followed by none, or by a later one
                for at, _, record in reader.records(kind, names=[name], since=step):
                    if at == step:
                        found.append((step, record))
                    break
        return found

    def record(self, kind: type[Any], name: str, step: int | None = None) -> Any:
        """Return the record of a kind and name at a step, by default the last one, or None."""
        with BoardReader(self.journal) as reader:
            if step is None:
                found = reader.latest(kind, name)
                return None if found is None else found[1]
            for at, _, record in reader.records(kind, names=[name], since=step):
                return record if at == step else None
        return None

    def num_pictures(self, name: str) -> int:
        """Return how many pictures the last gallery of a name has."""
        step = self.outline.kinds[kind_of(Gallery), name]
        at, number = self._lengths.get(name, (-1, 0))
        if at != step:
            gallery = self.record(Gallery, name, step)
            number = 0 if gallery is None else len(gallery.pictures)
            self._lengths[name] = step, number
        return number

    def _written(self) -> float:
        """Return when the journal was written last."""
        log = self.journal.with_name(f"{self.journal.name}-wal")
        try:
            times = [os.stat(self.journal).st_mtime]
            if log.exists():
                times.append(log.stat().st_mtime)
        except OSError as error:
            raise RunError(f"{self.journal} cannot be read: {error.strerror}.") from None
        return max(times)


def _joined(earlier: Mapping[str, Extent], later: Mapping[str, Extent]) -> dict[str, Extent]:
    joined = dict(earlier)
    for name, extent in later.items():
        joined[name] = joined[name] + extent if name in joined else extent
    return joined
