"""A chart shows lines, their gaps, points and marks, and says in words what it shows."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from refluid.observe.report.chart import Chart, Line, Mark, draw_chart


class Picture(HTMLParser):
    def __init__(self, chart: Chart) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.titles: list[str] = []
        self.in_title = False
        self.feed(draw_chart(chart))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.in_title = tag == "title"

    def handle_data(self, data):
        if self.in_title:
            self.titles.append(data)

    def of_class(self, word: str) -> list[dict[str, str]]:
        return [own for _, own in self.elements if word in own.get("class", "").split()]

    @property
    def label(self) -> str:
        return next(own["aria-label"] for _, own in self.elements if "aria-label" in own)


def line(values, steps=None, **options) -> Line:
    places = np.arange(len(values)) if steps is None else np.array(steps)
    return Line(
        label="training", steps=places.astype(float), values=np.array(values, float), **options
    )


def test_line_goes_through_its_values_within_the_frame():
    picture = Picture(Chart(title="loss", lines=[line([3.0, 2.0, 1.0])]))
    (drawn,) = picture.of_class("line")
    points = re.findall(r"[ML]([\d.]+) ([\d.]+)", drawn["d"])
    xs, ys = zip(*((float(x), float(y)) for x, y in points), strict=True)
    assert xs == (66, 346, 626)
    assert ys[0] < ys[1] < ys[2]
    assert ys[1] - ys[0] == pytest.approx(ys[2] - ys[1], abs=0.11)


def test_value_that_is_not_finite_leaves_a_gap():
    values = [1.0, 2.0, np.nan, 1.5, np.inf, 1.0, 2.0]
    (drawn,) = Picture(Chart(title="loss", lines=[line(values)])).of_class("line")
    assert re.sub(r"[-\d. ]+", "", drawn["d"]) == "MhLMhMhL"
    assert "nan" not in drawn["d"]
    assert "inf" not in drawn["d"]


@pytest.mark.parametrize(
    "values", [[1.0], [np.nan], [np.inf, -np.inf], [1e308, -1e308], [0.0, 0.0]]
)
def test_any_values_can_be_drawn(values):
    markup = draw_chart(Chart(title="loss", lines=[line(values, points=True)]))
    shown = re.findall(r' (?:d|x1?|x2|y1?|y2|cx|cy|width|height)="([^"]*)"', markup)
    assert shown
    assert not any("nan" in text or "inf" in text for text in shown)


def test_points_and_marks_say_what_they_are():
    valid = Line(label="validation", steps=np.array([3.0]), values=np.array([0.25]), points=True)
    chart = Chart(
        title="accuracy", lines=[line([0.0] * 5), valid], marks=[Mark(2, "Resumed")], share=True
    )
    picture = Picture(chart)
    assert "validation, step 3: 25.0%" in picture.titles
    assert "Resumed" in picture.titles
    assert len(picture.of_class("mark")) == 1
    assert "step 4\ntraining: 0.0%\nvalidation: 25.0%" in picture.titles


def test_mark_beyond_the_curves_is_not_drawn():
    chart = Chart(title="loss", lines=[line([1.0, 2.0])], marks=[Mark(9, "Resumed")])
    assert Picture(chart).of_class("mark") == Picture(chart).of_class("flag") == []


def test_columns_cover_the_width_once():
    picture = Picture(Chart(title="loss", lines=[line(np.linspace(2, 1, 1000))]))
    columns = [(float(own["x"]), float(own["width"])) for own in picture.of_class("column")]
    assert len(columns) == 80
    assert columns[0][0] == 66
    for (x, width), (following, _) in itertools.pairwise(columns):
        assert x + width == pytest.approx(following, abs=0.02)
    assert sum(columns[-1]) == pytest.approx(626, abs=0.02)


def test_text_alternative_tells_first_last_and_extremes():
    picture = Picture(Chart(title="loss", lines=[line([3.0, 0.5, 1.0])]))
    assert picture.label == (
        "Chart of loss by step. training: first 3 at step 0, last 1 at step 2, lowest 0.5 at "
        "step 1, highest 3 at step 0."
    )
    never = Picture(Chart(title="loss", lines=[line([np.nan])]))
    assert never.label.endswith("training: never a finite number.")


def test_noise_is_drawn_thin_and_does_not_stretch_the_scale():
    noise = np.ones(200)
    noise[100] = 1e9
    steps = np.arange(200.0)
    chart = Chart(title="x", lines=[line([1.0, 1.2], raw_steps=steps, raw_values=noise)])
    picture = Picture(chart)
    (raw,) = picture.of_class("raw")
    assert raw["d"].count("L") == 199
    assert "1.00e+09" not in draw_chart(chart)


def test_names_are_escaped():
    name = "<script>x</script>"
    nasty = Line(label=name, steps=np.zeros(1), values=np.ones(1), points=True)
    chart = Chart(title=name, lines=[nasty], marks=[Mark(0, name)])
    assert "<script" not in draw_chart(chart)
    assert Picture(chart).label.startswith(f"Chart of {name}")
