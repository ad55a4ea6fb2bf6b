"""What a report is made of: everything that is read, before anything is written.

Arrays are [N] with N points.
May import: numpy, observe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refluid.observe.diagnosis import Diagnosis, examine
from refluid.observe.record import R, Record
from refluid.observe.run.summary import Summary, open_journal, summarize

__all__ = ["Material", "Series", "gather", "is_share"]

Series = tuple[NDArray[np.int64], NDArray[np.float64]]

_MAX_CURVES = 120
# read first where there are more curves than are shown
_FIRST = ("loss", "accuracy", "lr", "grad_norm", "param_norm")
_PARTS = ("valid_", "test_")


@dataclass(frozen=True, kw_only=True)
class Material:
    """A run, as it was when it was read.

    Args:
        summary: its state and its course.
        curves: metrics by name, each with one value at least, unless there are very many.
        left_out: names of the metrics that are not in `curves`.
        records: the last record of each name with its step.
        diagnosis: what can be said of the curves.
    """

    summary: Summary
    curves: Mapping[str, Series]
    left_out: Sequence[str]
    records: Mapping[str, tuple[int, Record]]
    diagnosis: Diagnosis

    def record(self, kind: type[R], name: str) -> R | None:
        """Return the last record of a name if it is of this class."""
        _, record = self.records.get(name, (0, None))
        return record if isinstance(record, kind) else None

    def last(self, name: str) -> float | None:
        """Return a metric's last value."""
        point = self.summary.last.get(name)
        return None if point is None else point.value


def gather(directory: Path) -> Material:
    """Read a run.

    Raises:
        RunError: there is none, or its journal cannot be read.
    """
    summary = summarize(directory)
    names = sorted(summary.last, key=_order)
    with open_journal(directory) as journal:
        read = {name: journal.curve(name) for name in names[:_MAX_CURVES]}
        # a run that goes on may have taken some back meanwhile
        curves = {name: series for name, series in read.items() if len(series[0])}
        records = {name: (step, record) for step, name, record in journal.records()}
        # of very many metrics not all are read here
        diagnosis = examine(journal, curves if len(names) <= _MAX_CURVES else None)
    return Material(
        summary=summary,
        curves=curves,
        left_out=names[_MAX_CURVES:],
        records=records,
        diagnosis=diagnosis,
    )


def is_share(name: str, values: NDArray[np.float64]) -> bool:
    """Return whether a metric is a share of 1, to be shown as a percentage."""
    finite = values[np.isfinite(values)]
    named = "accuracy" in name or name.startswith("zeros/")
    return named and bool(((finite >= 0) & (finite <= 1)).all())


def _order(name: str) -> tuple[int, int, str]:
    part = next((part for part in _PARTS if name.startswith(part)), "")
    base = name.removeprefix(part)
    group = _FIRST.index(base) if base in _FIRST else len(_FIRST) + bool("/" in base)
    return (group, len(part), name)
