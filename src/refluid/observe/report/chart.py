"""A chart as an inline SVG picture that needs no script: lines, points, marks, and what they say.

What a pointer rests on is told by `<title>`: each point, each mark, and columns over the whole
width that name the values of all lines there. The same in short is the picture's text alternative.
Sizes are units of the picture, which takes the width that there is; the page's style chooses the
size of its letters.
May import: numpy, observe.report.markup, observe.report.number, observe.report.scale.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from refluid.observe.report.markup import Html, element
from refluid.observe.report.number import number, percent
from refluid.observe.report.scale import Scale, fitted

__all__ = ["MAX_LINES", "Chart", "Line", "Mark", "draw_chart"]

MAX_LINES = 8  # as many as the style has colors
_MAX_POINTS = 80
_WIDTH, _HEIGHT = 640, 360
_WIDTH_SMALL, _HEIGHT_SMALL = 420, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 14, 16, 52
_NOTHING: NDArray[np.float64] = np.zeros(0)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line: values over steps, [N] each; a value that is not finite leaves a gap.

    Args:
        label: what it shows.
        steps: where the values are, rising.
        values: as many.
        raw_steps: where the values of a finer line are, drawn thin behind this one.
        raw_values: as many.
        points: each value is drawn as a point too.
    """

    label: str
    steps: NDArray[np.float64]
    values: NDArray[np.float64]
    raw_steps: NDArray[np.float64] = field(default_factory=lambda: _NOTHING)
    raw_values: NDArray[np.float64] = field(default_factory=lambda: _NOTHING)
    points: bool = False


@dataclass(frozen=True)
class Mark:
    """A step at which something happened, and what."""

    step: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Lines on a pair of axes.

    Args:
        title: what they measure.
        lines: at most `MAX_LINES`, each with one value at least.
        marks: drawn as vertical lines.
        share: values are shares of 1, shown as percentages.
        ratios: where values are of very different sizes, equal ratios have equal lengths.
        small: one of many; its legend gives the last values.
    """

    title: str
    lines: Sequence[Line]
    marks: Sequence[Mark] = ()
    share: bool = False
    ratios: bool = True
    small: bool = False

    def text(self, value: float) -> str:
        """Return a value as the chart's labels give it."""
        return percent(value) if self.share else number(value)


def draw_chart(chart: Chart) -> Html:
    """Return a chart as a figure with its legend."""
    height = _HEIGHT_SMALL if chart.small else _HEIGHT
    y = fitted(
        [line.values for line in chart.lines],
        [line.raw_values for line in chart.lines],
        height - _BOTTOM,
        _TOP,
        share=chart.share,
        ratios=chart.ratios,
    )
    unit = element("small", " log scale") if y.logarithmic else None
    title = element("strong", element("bdi", chart.title), unit)
    return element(
        "figure",
        element("figcaption", title, _legend(chart)),
        _picture(chart, y, height),
        class_="chart small" if chart.small else "chart",
    )


def _legend(chart: Chart) -> Html:
    keys = [
        element(
            "span",
            element("span", class_=f"swatch c{k}"),
            element("bdi", line.label) if len(chart.lines) > 1 or not chart.small else None,
            " ",
            element("span", chart.text(float(line.values[-1])), class_="value")
            if chart.small
            else None,
            class_="key",
        )
        for k, line in enumerate(chart.lines)
    ]
    return element("span", *keys, class_="legend")


def _picture(chart: Chart, y: Scale, height: int) -> Html:
    width = _WIDTH_SMALL if chart.small else _WIDTH
    highest = max(float(line.steps[-1]) for line in chart.lines)
    lowest = min(float(line.steps[0]) for line in chart.lines)
    if highest == lowest:
        around = 2.5 + abs(lowest) / 1000
        lowest, highest = lowest - around, highest + around
    x = Scale(low=lowest, high=highest, begin=_LEFT, end=width - _RIGHT, whole=True)
    # what is outside the frame is cut off by a picture within the picture
    inner = element(
        "svg",
        *_curves(chart, x, y),
        x=_LEFT,
        y=_TOP - 6,
        width=x.end - _LEFT,
        height=y.begin - _TOP + 12,
        viewBox=f"{_LEFT} {_TOP - 6} {x.end - _LEFT:g} {y.begin - _TOP + 12:g}",
    )
    return element(
        "svg",
        *_axes(x, y),
        *_marks(chart, x, y),
        inner,
        *_columns(chart, x, y),
        *_points(chart, x, y),
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=_description(chart),
    )


def _axes(x: Scale, y: Scale) -> Iterator[Html]:
    for place, label in y.ticks():
        yield element("line", x1=x.begin, x2=x.end, y1=place, y2=place, class_="grid")
        yield element("text", label, x=x.begin - 8, y=place + 5, text_anchor="end")
    yield element("line", x1=x.begin, x2=x.end, y1=y.begin, y2=y.begin, class_="axis")
    for place, label in x.ticks():
        yield element("line", x1=place, x2=place, y1=y.begin, y2=y.begin + 5, class_="axis")
        yield element("text", label, x=place, y=y.begin + 23, text_anchor="middle")
    yield element("text", "step", x=x.end, y=y.begin + 46, text_anchor="end", class_="name")


def _marks(chart: Chart, x: Scale, y: Scale) -> Iterator[Html]:
    for mark in chart.marks:
        if not x.low <= mark.step <= x.high:
            continue
        place = float(x.places(np.array([mark.step], np.float64))[0])
        yield element("line", x1=place, x2=place, y1=y.end, y2=y.begin, class_="mark")


def _curves(chart: Chart, x: Scale, y: Scale) -> Iterator[Html]:
    # the later lines, such as validation, matter more and have fewer points: on top
    for k, line in enumerate(chart.lines):
        if line.raw_values.size:
            data = _path(x.places(line.raw_steps), y.places(line.raw_values))
            yield element("path", d=data, class_=f"raw c{k}")
    for k, line in enumerate(chart.lines):
        data = _path(x.places(line.steps), y.places(line.values))
        yield element("path", d=data, class_=f"line c{k}")


def _path(xs: NDArray[np.float64], ys: NDArray[np.float64]) -> str:
    """Return a line through the points; one between two gaps is a dot."""
    parts, pen = [], "M"
    # what is far outside the frame is no better placed exactly
    for place, value in zip(xs.tolist(), ys.clip(-1e4, 1e4).tolist(), strict=True):
        if value != value:
            pen = "M"
            continue
        parts.append(f"{pen}{place:.1f} {value:.1f}" + ("h0" if pen == "M" else ""))
        pen = "L"
    return "".join(parts)


def _points(chart: Chart, x: Scale, y: Scale) -> Iterator[Html]:
    radius = 3.2 if chart.small else 4
    for k, line in enumerate(chart.lines):
        if not line.points or len(line.steps) > _MAX_POINTS:
            continue
        places = zip(x.places(line.steps).tolist(), y.places(line.values).tolist(), strict=True)
        for (place, value), step, exact in zip(places, line.steps, line.values, strict=True):
            if value != value:
                continue
            text = f"{line.label}, step {int(step):,}: {chart.text(float(exact))}"
            dot = element("title", text)
            yield element("circle", dot, cx=place, cy=value, r=radius, class_=f"c{k}")
    for mark in chart.marks:
        if x.low <= mark.step <= x.high:
            place = float(x.places(np.array([mark.step], np.float64))[0])
            yield element(
                "path",
                element("title", mark.text),
                d=f"M{place - 6:.1f} {y.end - 10:.1f}h12l-6 10z",
                class_="flag",
            )


def _columns(chart: Chart, x: Scale, y: Scale) -> Iterator[Html]:
    """Yield strips that cannot be seen, and tell the values of all lines in the middle of each."""
    most = 40 if chart.small else 80
    steps = np.unique(np.concatenate([line.steps for line in chart.lines]))
    chosen = steps[np.unique(np.linspace(0, len(steps) - 1, most).round().astype(int))]
    places = x.places(chosen)
    edges = np.concatenate([[x.begin], (places[1:] + places[:-1]) / 2, [x.end]])
    for k, step in enumerate(chosen.tolist()):
        rows = [f"step {int(step):,}"]
        for line in chart.lines:
            nearest = _nearest(line.steps, step)
            rows.append(f"{line.label}: {chart.text(float(line.values[nearest]))}")
        yield element(
            "rect",
            element("title", "\n".join(rows)),
            x=float(edges[k]),
            y=y.end,
            width=float(edges[k + 1] - edges[k]),
            height=y.begin - y.end,
            class_="column",
        )


def _nearest(steps: NDArray[np.float64], step: float) -> int:
    right = min(int(np.searchsorted(steps, step)), len(steps) - 1)
    left = max(right - 1, 0)
    return left if abs(steps[left] - step) <= abs(steps[right] - step) else right


def _description(chart: Chart) -> str:
    said = [f"Chart of {chart.title} by step."]
    for line in chart.lines:
        finite = np.isfinite(line.values)
        if not finite.any():
            said.append(f"{line.label}: never a finite number.")
            continue
        steps, values = line.steps[finite].tolist(), line.values[finite]
        told = [
            f"{word} {chart.text(float(values[k]))} at step {int(steps[k]):,}"
            for word, k in (
                ("first", 0),
                ("last", -1),
                ("lowest", int(values.argmin())),
                ("highest", int(values.argmax())),
            )
        ]
        said.append(f"{line.label}: {', '.join(told)}.")
    said += [f"{mark.text}." for mark in chart.marks]
    return " ".join(said)
