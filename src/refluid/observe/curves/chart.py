"""The curves of one or several runs: what is drawn, of which metrics, under which names.

A metric of the training and that of the validation share a panel. What differs from step to step is
drawn thin, as it was logged, and over it the mean of the steps around each.
Arrays are [N] with N points.
May import: errors, numpy, observe.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from refluid.errors import RunError
from refluid.observe.curves.curve import Curve, Panel, draw_panels
from refluid.observe.curves.series import smoothed, thin
from refluid.observe.printable import printable
from refluid.observe.run.history import History, history_of
from refluid.observe.run.point import Series, is_share
from refluid.observe.run.summary import open_journal

__all__ = ["draw_runs", "short_names"]

_USUAL = ("loss", "accuracy")
_VALID = "valid_"
_MAX_POINTS = 3000
_MAX_CROSSES = 60
_MAX_PANELS = 6
_MAX_LETTERS = 28
# what is drawn thick are means over so large a part of all values, if these are many
_NUM_WINDOWS = 50
_MANY = 100


@dataclass(frozen=True)
class _Run:
    """A run that is drawn: its name, what happened in it, and its metrics."""

    name: str
    history: History
    series: Mapping[str, Series]

    @property
    def steps_per_epoch(self) -> int | None:
        """How long an epoch is, if the whole run is in epochs of one length."""
        planned = self.history.planned
        return None if planned is None or planned.first_step else planned.steps_per_epoch


def draw_runs(
    path: Path,
    directories: Sequence[Path],
    metrics: Sequence[str] = (),
    title: str | None = None,
) -> list[str]:
    """Draw curves of runs, one panel for each metric.

    Args:
        path: the picture to write.
        directories: of the runs; one that is named twice is drawn once.
        metrics: names, by default loss and accuracy, or where no run has these, what they have.
            With a metric comes that of the validation, such as `valid_loss`, unless it is named
            itself.
        title: stands above the panels, by default what runs they are.

    Returns:
        The names of the metrics that were drawn.

    Raises:
        RunError: a run cannot be read, or no run has a metric of that name.
        RefluidError: the picture cannot be made or written.

    Effects:
        Writes `path`.
    """
    distinct = list({directory.resolve(): directory for directory in directories}.values())
    runs, panels = _chosen(distinct, list(dict.fromkeys(metrics)))
    in_epochs = all(run.steps_per_epoch for run in runs)
    drawn = [_panel(runs, names, in_epochs) for names in panels]
    draw_panels(path, _title(runs) if title is None else title, drawn)
    return [name for names in panels for name in names]


def short_names(directories: Sequence[Path]) -> list[str]:
    """Return names for directories: of each path what differs from the others.

    Args:
        directories: all different.
    """
    paths = [directory.resolve().parts for directory in directories]
    first = _num_common(paths)
    last = _num_common([parts[::-1] for parts in paths])
    # a path that begins another one keeps its own last part
    names = [
        "/".join(parts[min(first, len(parts) - 1) : max(len(parts) - last, first + 1)])
        for parts in paths
    ]
    return names if len(set(names)) == len(names) else [str(each) for each in directories]


def _num_common(paths: Sequence[Sequence[str]]) -> int:
    """Return with how many parts all paths begin."""
    levels = zip(*paths, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda level: len(set(level)) == 1, levels))


# --- what is drawn ----------------------------------------------------------------------------


def _chosen(
    directories: Sequence[Path], metrics: Sequence[str]
) -> tuple[list[_Run], list[list[str]]]:
    """Return the runs, and the metrics of each panel."""
    firsts = list(metrics or _USUAL)
    runs = _read(directories, firsts)
    missing = [name for name in metrics if not any(name in run.series for run in runs)]
    if missing or not any(run.series for run in runs):
        # a journal is looked through for its names only if it must be: that takes long
        known = _known(directories)
        if missing:
            raise RunError(
                f"`--metric` {_listed(map(repr, missing))} is not in {_listed(directories)}, where "
                f"there is: {_listed(known) or 'nothing yet'}."
            )
        if not known:
            raise RunError(
                f"{_listed(directories)}: no metric has been logged, so there is nothing to draw."
            )
        firsts = [name for name in known if not name.startswith(_VALID)][:_MAX_PANELS] or known
        runs = _read(directories, firsts)
    panels = [[first, *_validation_of(first, metrics)] for first in firsts]
    drawn = {name for run in runs for name in run.series}
    panels = [[name for name in names if name in drawn] for names in panels]
    return runs, [names for names in panels if names]


def _validation_of(name: str, metrics: Sequence[str]) -> list[str]:
    return [] if name.startswith(_VALID) or _VALID + name in metrics else [_VALID + name]


def _read(directories: Sequence[Path], firsts: Sequence[str]) -> list[_Run]:
    wanted = dict.fromkeys(each for name in firsts for each in (name, *_validation_of(name, ())))
    runs: list[_Run] = []
    for directory, name in zip(directories, short_names(directories), strict=True):
        with open_journal(directory) as journal:
            found = {metric: journal.curve(metric) for metric in wanted}
            series = {metric: each for metric, each in found.items() if len(each[0])}
            runs.append(_Run(_cut(printable(name)), history_of(journal), series))
    return runs


def _known(directories: Sequence[Path]) -> list[str]:
    names: set[str] = set()
    for directory in directories:
        with open_journal(directory) as journal:
            names.update(journal.names())
    return sorted(names)


def _listed(things: Iterable[object], most: int = 30) -> str:
    names = [str(thing) for thing in things]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _cut(name: str) -> str:
    half = _MAX_LETTERS // 2
    return name if len(name) <= _MAX_LETTERS else f"{name[:half]}...{name[-half:]}"


# --- how it is drawn --------------------------------------------------------------------------


def _title(runs: Sequence[_Run]) -> str:
    if len(runs) > 1:
        return f"{len(runs)} runs"
    history = runs[0].history
    return f"{runs[0].name}: {history.state}, {history.step:,} steps"


def _panel(runs: Sequence[_Run], names: Sequence[str], in_epochs: bool) -> Panel:
    shown = [(k, run, name) for k, run in enumerate(runs) for name in names if name in run.series]
    series = [run.series[name][1] for _, run, name in shown]
    windows = {_window(run.series[name][1]) for _, run, name in shown if name == shown[0][2]}
    up_to = "up to " if len(windows) > 1 else ""

    def label(run: _Run, name: str) -> str:
        part = _part(name) if len(names) > 1 else name if len(runs) == 1 else ""
        return f"{run.name if len(runs) > 1 else ''} {part}".strip()

    return Panel(
        title=names[0],
        # a single run has colors for its parts
        curves=[
            _curve(
                run, name, in_epochs, label(run, name), k if len(runs) > 1 else names.index(name)
            )
            for k, run, name in shown
        ],
        x_label="epoch" if in_epochs else "step",
        note=f"thick: mean over {up_to}{max(windows):,} steps" if max(windows) > 1 else "",
        percent=is_share(names[0]) and all(_is_within_0_and_1(values) for values in series),
    )


def _part(name: str) -> str:
    return "validation" if name.startswith(_VALID) else "training"


def _window(values: np.ndarray) -> int:
    return max(3, len(values) // _NUM_WINDOWS) if len(values) >= _MANY else 1


def _is_within_0_and_1(values: np.ndarray) -> bool:
    finite = values[np.isfinite(values)]
    return bool(((finite >= 0) & (finite <= 1)).all())


def _curve(run: _Run, name: str, in_epochs: bool, label: str, color: int) -> Curve:
    steps, values = run.series[name]
    is_valid = name.startswith(_VALID)
    # the last step of an epoch is its end
    scale = 1 / run.steps_per_epoch if in_epochs and run.steps_per_epoch else 1.0
    x = ((steps + in_epochs) * scale).astype(np.float64)
    window = _window(values)
    odd = x[~np.isfinite(values)]
    # a complete run that is started again goes on from its end, where there is nothing to see
    resumed = {step for step in run.history.resume_steps if step < run.history.step}
    thick = np.where(np.isfinite(values), smoothed(values, window), np.nan)
    thick_x, thick = thin(x, thick, _MAX_POINTS)
    noise_x, noise = thin(x, values, _MAX_POINTS) if window > 1 else ((), ())
    return Curve(
        label=label,
        x=thick_x,
        y=thick,
        x_noise=noise_x,
        y_noise=noise,
        color=color,
        dashed=is_valid,
        marks=() if is_valid else [step * scale for step in sorted(resumed)],
        odd=odd[:: -(-len(odd) // _MAX_CROSSES) or 1],
    )
