"""A journal's reader that answers what a board asks, without going through every point.

The table of metrics is ordered by step and name, so that one point of each of some thousand spans
of steps is found by as many searches, however long the run is.
May import: numpy, observe.journal.format, observe.journal.reader, observe.record.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from refluid.observe.journal.format import LAST_STEP, from_column
from refluid.observe.journal.reader import JournalReader
from refluid.observe.record import Record, kind_of

__all__ = ["BoardReader", "Extent"]

# the first point of each span of steps; name, first step, last step, length of a span
_FIRST_POINTS = """
WITH RECURSIVE found(step) AS (
  SELECT ?2
  UNION ALL
  SELECT (SELECT step FROM metric
          WHERE step >= (found.step / ?4 + 1) * ?4 AND step <= ?3 AND name = ?1
          ORDER BY step LIMIT 1)
  FROM found WHERE found.step IS NOT NULL
)
SELECT metric.step, metric.value
FROM found CROSS JOIN metric ON metric.step = found.step AND metric.name = ?1
"""


@dataclass(frozen=True)
class Extent:
    """How many points a metric has, and the steps of the first and the last one."""

    count: int
    first: int
    last: int

    def __add__(self, later: Extent) -> Extent:
        return Extent(self.count + later.count, self.first, later.last)


class BoardReader(JournalReader):
    """The journal at `path`, for one thread; its methods raise as those of `JournalReader` do."""

    def __enter__(self) -> BoardReader:
        super().__enter__()
        return self

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that is read while this lasts be of one instant."""
        self._rows("BEGIN")
        try:
            yield
        finally:
            self._rows("COMMIT")

    def age(self) -> tuple[int, int]:
        """Return two numbers; one of them changes when a process begins or rows are taken back."""
        ((starts, cuts),) = self._rows(
            "SELECT (SELECT COUNT(*) FROM start), "
            "(SELECT COUNT(*) FROM event WHERE kind IN ('began', 'resumed'))"
        )
        return starts, cuts

    def last(self) -> int:
        """Return the last step that has metrics, or -1 if no step has."""
        ((step,),) = self._rows(LAST_STEP)
        return -1 if step is None else self._parsed(_whole, step)

    def extents(self, first: int, last: int) -> dict[str, Extent]:
        """Return the extent of every metric from one step to another, both included."""
        rows = self._rows(
            "SELECT name, COUNT(*), MIN(step), MAX(step) FROM metric "
            "WHERE step >= ? AND step <= ? GROUP BY name",
            (first, last),
        )
        return {
            self._parsed(_text, name): Extent(
                count, self._parsed(_whole, start), self._parsed(_whole, end)
            )
            for name, count, start, end in rows
        }

    def points(self, name: str, extent: Extent, limit: int) -> list[tuple[int, float]]:
        """Return steps and values of a metric: all, or some that are evenly spaced, and the last.

        Args:
            name: of the metric.
            extent: of it.
            limit: return at most so many points, from 3.
        """
        width = 1
        if extent.count > limit:
            # a power of two, so that the points stay where they are while a run goes on
            while extent.last // width - extent.first // width + 2 > limit:
                width *= 2
        rows = self._rows(_FIRST_POINTS, (name, extent.first, extent.last, width))
        if not rows or rows[-1][0] != extent.last:
            rows += self._rows(
                "SELECT step, value FROM metric WHERE step = ? AND name = ?", (extent.last, name)
            )
        return [
            (self._parsed(_whole, step), self._parsed(from_column, value)) for step, value in rows
        ]

    def kinds(self) -> dict[tuple[str, str], int]:
        """Return for each kind and name of records the last step that has one."""
        if not self._has_records:
            return {}
        rows = self._rows("SELECT kind, name, MAX(step) FROM record GROUP BY kind, name")
        return {
            (self._parsed(_text, kind), self._parsed(_text, name)): self._parsed(_whole, step)
            for kind, name, step in rows
        }

    def steps_of(self, kind: type[Record], name: str) -> list[int]:
        """Return the steps that have a record of a kind and name, in order."""
        if not self._has_records:
            return []
        rows = self._rows(
            "SELECT step FROM record WHERE name = ? AND kind = ? ORDER BY step",
            (name, kind_of(kind)),
        )
        return [self._parsed(_whole, step) for (step,) in rows]

    def clock(self, now: float) -> tuple[np.ndarray, np.ndarray]:
        """Return steps (float64 [N], rising) and when they were reached (float64 [N], rising).

        The journal has the times of starts and events only. What a process did after the step
        that a later one began from was done again, and counts with that one.

        Args:
            now: when the last step was reached, if nothing happened after it.
        """
        rows = self._rows(
            "SELECT time, from_step, 1 FROM start UNION ALL SELECT time, step, 0 FROM event "
            "ORDER BY 1"
        )
        marks: list[tuple[float, int]] = []
        for time, step, begins in rows:
            mark = self._parsed(float, time), self._parsed(_whole, step)
            while begins and marks and marks[-1][1] > mark[1]:
                marks.pop()
            if not marks or mark[1] >= marks[-1][1]:
                marks.append(mark)
        last = self.last()
        if not marks or last > marks[-1][1]:
            marks.append((max(now, marks[-1][0]) if marks else now, max(last, 0)))
        times, steps = zip(*marks, strict=True)
        return np.array(steps, np.float64), np.array(times, np.float64)


# in a damaged file, a value may be of another type than its column


def _text(stored: object) -> str:
    if not isinstance(stored, str):
        raise sqlite3.DatabaseError(f"it holds {stored!r} in place of a text")
    return stored


def _whole(stored: Any) -> int:
    if not isinstance(stored, int):
        raise sqlite3.DatabaseError(f"it holds {stored!r} in place of a step")
    return stored
