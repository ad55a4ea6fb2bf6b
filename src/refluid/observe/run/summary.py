"""What a run has come to: its state, how far it is, what was measured last and best, what is saved.

All of it is read from the run's directory, whether or not the run goes on meanwhile: from the
journal, from who has the directory, and from the names and sizes of checkpoints, which are not
opened.
May import: errors, numpy, observe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from refluid.errors import RunError
from refluid.observe.journal.reader import JournalReader
from refluid.observe.run.history import Attempt, History, Planned, history_of
from refluid.observe.run.point import Point, Series, best_point, is_better
from refluid.observe.run.saved import Checkpoint, checkpoints_in

__all__ = [
    "Attempt",
    "Checkpoint",
    "Planned",
    "Point",
    "Summary",
    "is_run",
    "open_journal",
    "summarize",
]

_JOURNAL = "run.sqlite"
# how far back from the end nearly all metrics have been logged
_RECENT_STEPS = 1000


@dataclass(frozen=True, kw_only=True)
class Summary(History):
    """A run, as it is now; `History` has how it came there.

    Args:
        directory: of the run.
        run: its id.
        last: the last value of each metric, by name.
        best: the best value of each metric of the validation, where it is known what is better.
        checkpoints: what is saved, ascending.
    """

    directory: Path
    run: str
    last: Mapping[str, Point] = field(default_factory=dict)
    best: Mapping[str, Point] = field(default_factory=dict)
    checkpoints: Sequence[Checkpoint] = ()

    @property
    def name(self) -> str:
        """The name of the directory."""
        return self.directory.name or str(self.directory)


def is_run(directory: Path) -> bool:
    """Return whether there is a run's journal in a directory."""
    return (directory / _JOURNAL).is_file()


def open_journal(directory: Path) -> JournalReader:
    """Return the journal of a run, to be entered.

    Raises:
        RunError: there is no run in this directory.
    """
    if not is_run(directory):
        raise RunError(
            f"{directory} holds no run: it has no {_JOURNAL}. Name a directory that a program with "
            "`refluid.Run`, or `refluid train`, has made."
        )
    return JournalReader(directory / _JOURNAL)


def summarize(directory: Path) -> Summary:
    """Return what a run has come to, whether it is running or not.

    Args:
        directory: of the run.

    Raises:
        RunError: there is no run, or its journal cannot be read.
    """
    with open_journal(directory) as journal:
        history = history_of(journal)
        last, validations = _measured(journal)
        run = journal.run
    best = {
        name: point for name, series in validations.items() if (point := best_point(name, series))
    }
    return Summary(
        directory=directory,
        run=run,
        last=last,
        best=best,
        checkpoints=checkpoints_in(directory, validations),
        **{each.name: getattr(history, each.name) for each in fields(history)},
    )


# --- what was measured ------------------------------------------------------------------------


def _measured(journal: JournalReader) -> tuple[dict[str, Point], dict[str, Series]]:
    """Return the last value of each metric, and those of the validation as a whole."""
    last_step = journal.last_step()
    if last_step is None:
        return {}, {}
    names = journal.names()
    since = max(0, last_step - _RECENT_STEPS)
    last = {name: Point(step, value) for step, name, value in journal.metrics(since=since)}
    judged = [name for name in names if name.startswith("valid_") and is_better(name) is not None]
    rare = [name for name in names if name not in last and name not in judged]
    if rare:
        last.update((n, Point(step, value)) for step, n, value in journal.metrics(rare))
    validations = {name: journal.curve(name) for name in judged}
    for name, (steps, values) in validations.items():
        if len(steps):
            last[name] = Point(int(steps[-1]), float(values[-1]))
    return {name: last[name] for name in names if name in last}, validations
