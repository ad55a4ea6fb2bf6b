"""The curves of a run: what is learned in large, everything else that was measured in small.

May import: numpy, observe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from refluid.observe.curves.series import smoothed, thin
from refluid.observe.report.chart import MAX_LINES, Chart, Line, Mark, draw_chart
from refluid.observe.report.markup import Html, element, join
from refluid.observe.report.material import Material, Series, is_share
from refluid.observe.report.number import count, instant, number
from refluid.observe.run.summary import Attempt

__all__ = ["draw_curves", "draw_other_curves"]

_PARTS = (("", "training"), ("valid_", "validation"), ("test_", "test"))
_MAX_POINTS, _MAX_POINTS_SMALL = 600, 240
# as many windows are side by side
_NUM_WINDOWS = 40
_MAX_CHARTS = 24
_FEW = 30  # values of which each is drawn as a point
_MANY = 3  # lines behind which what is drawn thin would hide the others
_LINEAR = ("lr", "steps_per_s")


def draw_curves(material: Material) -> Html | None:
    """Return loss, accuracy and whatever else was measured on several parts of the data."""
    names = _main_names(material.curves)
    if not names:
        return None
    marks = _marks(material)
    charts = [_main_chart(material, name, marks) for name in names]
    charts = [draw_chart(chart) for chart in charts]
    grid = element("div", *charts, class_="charts" if len(charts) > 1 else "charts one")
    return join(grid, _explanation(material, marks))


def draw_other_curves(material: Material) -> Html | None:
    """Return all other metrics: one chart for each, or for all of one kind, such as `std/conv1`."""
    shown = {part + name for name in _main_names(material.curves) for part, _ in _PARTS}
    groups: dict[str, list[str]] = {}
    for name in material.curves:
        if name not in shown:
            groups.setdefault(name.split("/", 1)[0] if "/" in name else name, []).append(name)
    if not groups:
        return None
    marks = _marks(material)
    charts, notes = [], []
    for title, names in list(groups.items())[:_MAX_CHARTS]:
        chart, num_left = _small_chart(material.curves, title, names, marks)
        charts.append(draw_chart(chart))
        if num_left:
            notes.append(f"Of {title}, the {MAX_LINES} that are highest at the end are drawn.")
    num_left = len(groups) - len(charts) + len(material.left_out)
    if num_left > 0:
        notes.append(f"{count(num_left, 'more metric')} in the journal are not drawn here.")
    note = element("p", " ".join(notes), class_="note") if notes else None
    return join(element("div", *charts, class_="charts small"), note)


def _main_names(curves: Mapping[str, Series]) -> list[str]:
    """Return what was measured on several parts of the data, and in any case loss and accuracy."""
    found = {"loss": 0, "accuracy": 1}
    for name in curves:
        for part, _ in _PARTS[1:]:
            if name.startswith(part):
                found.setdefault(name.removeprefix(part), len(found))
    return [name for name in found if any(part + name in curves for part, _ in _PARTS)]


def _main_chart(material: Material, name: str, marks: Sequence[Mark]) -> Chart:
    curves = material.curves
    present = [(part + name, label) for part, label in _PARTS if part + name in curves]
    values = np.concatenate([curves[each][1] for each, _ in present])
    lines = [
        _line(curves[each], label, _MAX_POINTS, points=label != "training")
        for each, label in present
    ]
    return Chart(title=name, lines=lines, marks=marks, share=is_share(name, values))


def _small_chart(
    curves: Mapping[str, Series], title: str, names: Sequence[str], marks: Sequence[Mark]
) -> tuple[Chart, int]:
    ranked = sorted(names, key=lambda name: _rank(float(curves[name][1][-1])), reverse=True)
    chosen = [name for name in names if name in ranked[:MAX_LINES]]
    labels = [name.removeprefix(f"{title}/") for name in chosen]
    lines = [
        _line(
            curves[name],
            label,
            _MAX_POINTS_SMALL,
            points=len(curves[name][0]) < _FEW,
            raw=len(chosen) < _MANY,
        )
        for name, label in zip(chosen, labels, strict=True)
    ]
    values = np.concatenate([curves[name][1] for name in chosen])
    share = is_share(names[0], values)
    chart = Chart(
        title=title, lines=lines, marks=marks, share=share, ratios=title not in _LINEAR, small=True
    )
    return chart, len(names) - len(chosen)


def _rank(value: float) -> float:
    # what is no number any more is what to look at
    return value if value == value else float("inf")


def _line(
    series: Series, label: str, max_points: int, *, points: bool = False, raw: bool = True
) -> Line:
    steps, values = series
    window = max(1, len(values) // _NUM_WINDOWS)
    if points or window < 3:
        few_steps, few = thin(steps.astype(np.float64), values, max_points)
        return Line(label=label, steps=few_steps, values=few, points=points)
    places = steps.astype(np.float64)
    means = smoothed(values, window)
    line_steps, line_values = thin(places, means, max_points)
    if not raw:
        return Line(label=label, steps=line_steps, values=line_values)
    raw_steps, raw_values = thin(places, values, 2 * max_points)
    return Line(
        label=label,
        steps=line_steps,
        values=line_values,
        raw_steps=raw_steps,
        raw_values=raw_values,
    )


# --- what is written below --------------------------------------------------------------------


def _marks(material: Material) -> list[Mark]:
    return [_mark(each) for each in material.summary.attempts if each.resumed]


def _mark(attempt: Attempt) -> Mark:
    start = attempt.start
    when = instant(start.time)
    return Mark(start.from_step, f"Resumed at step {start.from_step:,}, {when}")


def _explanation(material: Material, marks: Sequence[Mark]) -> Html:
    texts = [_smoothing(material), *_gaps(material.curves)]
    if marks:
        steps = _listed(sorted({int(mark.step) for mark in marks}))
        texts.append(
            f"A dashed line with a flag marks where a new process went on from a save: {steps}. "
            "What was measured after that save was measured anew, so that each step is here once."
        )
    return element("p", " ".join(text for text in texts if text), class_="note")


def _smoothing(material: Material) -> str:
    lengths = [len(series[0]) for name, series in material.curves.items() if "_" not in name]
    window = max(lengths, default=0) // _NUM_WINDOWS
    if window < 3:
        return ""
    return (
        f"Thin: each step of the training. Thick: the mean over the {window | 1} steps around it."
    )


def _gaps(curves: Mapping[str, Series]) -> Iterator[str]:
    for name in _main_names(curves):
        for part, _ in _PARTS:
            steps, values = curves.get(part + name, (np.zeros(0, np.int64), np.zeros(0)))
            bad = ~np.isfinite(values)
            if bad.any():
                first = int(np.argmax(bad))
                what = number(float(values[first]))
                yield (
                    f"{part + name} is not finite at {int(bad.sum()):,} of "
                    f"{count(len(values), 'step')}, first at step {int(steps[first]):,} ({what})."
                )


def _listed(steps: Sequence[int]) -> str:
    most = 12
    texts = [f"{step:,}" for step in steps[:most]]
    more = [f"{len(steps) - most} more"] if len(steps) > most else []
    parts = texts + more
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
    return f"{'step' if len(steps) == 1 else 'steps'} {listed}"
