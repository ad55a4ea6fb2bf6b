"""A run in the terminal: state, progress, metrics, the loss as a plot, starts, checkpoints.

Lines are as long as they need to be: a number is never cut. Where the output goes to a file there
are no colors, and where the letters are only ASCII, no others.
May import: rich, numpy, observe.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.text import Text

from refluid.observe.curves.braille import plot_line, put_marks
from refluid.observe.curves.series import smoothed, thin
from refluid.observe.printable import printable
from refluid.observe.run.point import Point, Series, is_share
from refluid.observe.run.summary import Checkpoint, Summary, open_journal

__all__ = ["RunText", "show_run", "style_of", "value_text"]

_STYLES = {"running": "bold cyan", "complete": "bold green", "killed": "bold yellow"}
_STYLES |= {"stopped": "bold yellow", "failed": "bold red"}
_LABEL_WIDTH = 12
_MAX_WIDTH, _MIN_WIDTH, _HEIGHT = 100, 16, 8
_BAR_WIDTH = 30
_MAX_OTHERS = 12
_MAX_LISTED = 12
_DECADES = 1.5


def show_run(summary: Summary) -> None:
    """Show a run."""
    screen = RunText()
    screen.head(summary)
    screen.metrics(summary)
    screen.starts(summary)
    screen.curve(summary)
    screen.checkpoints(summary.checkpoints)


def style_of(state: str) -> str:
    """Return the color of a run's state, as rich calls it."""
    return _STYLES.get(state.partition(" ")[0], "bold")


def value_text(name: str, value: float) -> str:
    """Return a metric's value in as many digits as are of interest."""
    if is_share(name) and 0 <= value <= 1:
        return f"{100 * value:.2f}%"
    return f"{value:.4g}"


class RunText:
    """The terminal, or the file, that runs are shown on."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._ascii_only = self._console.options.ascii_only

    def line(self, name: str = "", text: str = "", style: str = "") -> None:
        """Print a name and what there is to say of it."""
        shown = Text(name.ljust(_LABEL_WIDTH), style="dim" if name else "")
        shown.append(printable(text, self._console.encoding), style=style)
        shown.rstrip()
        self._console.print(shown)

    def head(self, summary: Summary) -> None:
        """Print where the run is, its state and how far it is."""
        self.line("run", str(summary.directory), style="bold")
        state = summary.state
        if summary.state == "running" and summary.pid is not None:
            state += f", process {summary.pid} on {summary.host}"
        if summary.attempts and summary.attempts[-1].end == "failed":
            state += f": {summary.attempts[-1].why}"
        self.line("state", state, style=style_of(summary.state))
        self.line("progress", ", ".join(_progress(summary, self._bar(summary.progress))))

    def _bar(self, progress: float | None) -> str:
        if progress is None:
            return ""
        full, empty = ("#", "-") if self._ascii_only else ("\N{FULL BLOCK}", "\N{LIGHT SHADE}")
        # full only when there is nothing left
        done = int(progress * _BAR_WIDTH)
        return f"{full * done}{empty * (_BAR_WIDTH - done)} {int(100 * progress)}%"

    def metrics(self, summary: Summary) -> None:
        """Print the last values, and the best ones of the validation."""
        parts = {"valid_": "validation", "test_": "test"}
        groups: dict[str, list[tuple[str, str, Point]]] = {"training": [], "validation": []}
        for name, point in summary.last.items():
            prefix = next((prefix for prefix in parts if name.startswith(prefix)), "")
            # those of single layers and parameters are many, and for other commands
            if "/" not in name:
                group = groups.setdefault(parts.get(prefix, "training"), [])
                group.append((name, name.removeprefix(prefix), point))
        for group, points in groups.items():
            if points:
                points.sort(key=lambda point: _rank(point[1]))
                self.line(group, _values(points[:_MAX_OTHERS]))
        if summary.best:
            best = [
                f"{name.removeprefix('valid_')} {value_text(name, point.value)} "
                f"at step {point.step:,}"
                for name, point in sorted(summary.best.items(), key=lambda item: _rank(item[0]))
            ]
            self.line("best", ", ".join(best))

    def starts(self, summary: Summary) -> None:
        """Print how often the run was started, how that ended, and where it went on."""
        if not summary.attempts:
            return
        ends = Counter(attempt.end for attempt in summary.attempts)
        how = ", ".join(f"{count} {end}" for end, count in ends.items())
        latest = _ago(summary.attempts[-1].start.time)
        times = "once" if len(summary.attempts) == 1 else f"{len(summary.attempts)} times"
        self.line("started", f"{times} ({how}), last {latest}")
        if summary.resume_steps:
            self.line("resumed", f"after {_listed(summary.resume_steps)} steps")
        problems = Counter(e.kind for e in summary.events if e.kind in ("damaged", "not saved"))
        for kind, count in problems.items():
            last = [event for event in summary.events if event.kind == kind][-1]
            self.line(kind, f"{count} of the checkpoints, at last step {last.step:,}: {last.text}")

    def curve(self, summary: Summary) -> None:
        """Print a plot of the loss, or of the first metric where there is none."""
        names = [name for name in summary.last if "/" not in name and not name.startswith("test_")]
        name = "loss" if "loss" in names or "valid_loss" in names else next(iter(names), None)
        if name is None:
            return
        with open_journal(summary.directory) as journal:
            series = [journal.curve(each) for each in (name, f"valid_{name}")]
        width = min(self._console.width, _MAX_WIDTH) - _LABEL_WIDTH
        if width >= _MIN_WIDTH and any(np.isfinite(values).any() for _, values in series):
            self.line()
            for label, text in _plot(name, series, summary, width, ascii_only=self._ascii_only):
                self.line(label.rjust(_LABEL_WIDTH - 2) if label else "", text)

    def checkpoints(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Print what is saved."""
        self.line()
        if not checkpoints:
            self.line("checkpoints", "none")
            return
        for index, each in enumerate(checkpoints):
            best = f"   best {', '.join(each.best_of)}" if each.best_of else ""
            text = f"step {each.step:>9,}{_size(each.size_bytes):>12}   {_ago(each.time)}{best}"
            self.line("" if index else "checkpoints", text)


def _progress(summary: Summary, bar: str) -> Iterator[str]:
    if bar:
        yield bar
    planned, total = summary.planned, summary.planned_steps
    if planned is not None and summary.epochs is not None:
        # of the epochs that are complete, none is made of a part
        epochs = np.floor(100 * summary.epochs) / 100
        yield f"epoch {epochs:g} of {planned.epochs:,}"
    elif planned is not None:
        yield f"of {planned.epochs:,} epochs"
    yield f"step {summary.step:,}" + (f" of {total:,}" if total else "")
    rate = summary.last.get("steps_per_s")
    if summary.state == "running" and total and rate is not None and rate.value > 0:
        yield f"about {_duration((total - summary.step) / rate.value)} left"


def _rank(name: str) -> int:
    """Return 0 for the loss, 1 for the accuracy, 2 for what is of less interest."""
    words = name.split("_")
    return 0 if "loss" in words else 1 if "accuracy" in words else 2


def _values(points: Iterable[tuple[str, str, Point]]) -> str:
    return ", ".join(f"{shown} {value_text(name, point.value)}" for name, shown, point in points)


def _listed(steps: Sequence[int]) -> str:
    before = "... " if len(steps) > _MAX_LISTED else ""
    return before + ", ".join(f"{step:,}" for step in steps[-_MAX_LISTED:])


def _plot(
    name: str, series: Sequence[Series], summary: Summary, width: int, *, ascii_only: bool
) -> Iterator[tuple[str, str]]:
    """Iterate over labels and lines of a plot: the training as a line, the validation as marks."""
    (steps, values), (valid_steps, valid_values) = series
    window = max(1, len(values) // (2 * width))
    odd = steps[~np.isfinite(values)]
    smooth = np.where(np.isfinite(values), smoothed(values, window), np.nan)
    steps, values = thin(steps, smooth, 8 * width)
    both = np.concatenate([values, valid_values])
    low, high = float(both[np.isfinite(both)].min()), float(both[np.isfinite(both)].max())
    is_log = not is_share(name) and 0 < low < high / 10**_DECADES
    first = min(*steps[:1], *valid_steps[:1], summary.step)
    last = max(*steps[-1:], *valid_steps[-1:], first + 1)

    def across(at: np.ndarray) -> np.ndarray:
        return (at - first) / (last - first)

    def along(of: np.ndarray) -> np.ndarray:
        # shares of differences, or of ratios
        ends = np.log([low, high]) if is_log else np.array([low, high])
        finite = np.where(np.isfinite(of), of, np.nan)
        return ((np.log(finite) if is_log else finite) - ends[0]) / ((ends[1] - ends[0]) or 1.0)

    lines = plot_line(across(steps), along(values), width, _HEIGHT, ascii_only=ascii_only)
    lines = put_marks(lines, across(valid_steps), along(valid_values), "o")
    lines = put_marks(lines, across(odd), np.ones(len(odd)), "x")
    resumed = [step for step in summary.resume_steps if first <= step < last]
    meanings = {
        "line: training": len(steps),
        "o: validation": len(valid_steps),
        "x: not finite": len(odd),
        "^: resumed": len(resumed),
        "logarithmic": is_log,
    }
    yield name, ", ".join(meaning for meaning, is_there in meanings.items() if is_there)
    for index, line in enumerate(lines):
        label = {0: high, len(lines) - 1: low}.get(index)
        yield "" if label is None else value_text(name, label), line
    if resumed:
        places = across(np.array(resumed))
        yield "", put_marks([" " * width], places, np.zeros(len(resumed)), "^")[0]
    yield "", f"{f'step {first:,}':<{width // 2}}{f'{last:,}':>{width - width // 2}}"


def _size(num_bytes: int) -> str:
    if num_bytes < 1024:
        return f"{num_bytes} bytes"
    size, unit = num_bytes / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB"):
        if size >= 1024:
            size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if size >= 100 else f"{size:.1f} {unit}"


def _ago(moment: float) -> str:
    seconds = time.time() - moment
    return "just now" if seconds < 1 else f"{_duration(seconds)} ago"


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
