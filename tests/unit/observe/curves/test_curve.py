"""Curves become a picture that can be looked at, of whatever a run has measured."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from PIL import Image

from refluid.errors import RefluidError
from refluid.observe.curves.curve import Curve, Panel, draw_panels


def colors_of(path) -> dict[tuple[int, ...], int]:
    with Image.open(path) as image:
        return {color: count for count, color in image.convert("RGB").getcolors(1 << 24)}


BLUE, ORANGE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)


def test_each_curve_has_a_color_of_its_own(tmp_path):
    one = Curve(label="training", x=[1, 2, 3], y=[3.0, 2.0, 1.0])
    two = Curve(label="validation", x=[1, 2, 3], y=[3.0, 2.5, 2.0], color=1, dashed=True)
    draw_panels(tmp_path / "one.png", "one", [Panel(title="loss", curves=[one])])
    draw_panels(tmp_path / "two.png", "two", [Panel(title="loss", curves=[one, two])])
    assert colors_of(tmp_path / "one.png").get(BLUE, 0) > 100
    assert ORANGE not in colors_of(tmp_path / "one.png")
    assert colors_of(tmp_path / "two.png").get(ORANGE, 0) > 100


@pytest.mark.parametrize(
    "values",
    [[], [0.5], [0.0, 0.0], [1.0, math.nan], [math.nan], [math.inf, 1.0], [-1.0, 0.0], [1e-300, 1]],
)
@pytest.mark.parametrize("percent", [False, True])
def test_odd_values_are_drawn_without_a_complaint(tmp_path, values, percent):
    curve = Curve(
        label="training", x=range(len(values)), y=values, x_noise=range(len(values)), y_noise=values
    )
    panel = Panel(title="loss", curves=[curve], percent=percent)
    draw_panels(tmp_path / "curves.png", "title", [panel, panel])
    with Image.open(tmp_path / "curves.png") as image:
        assert image.size == (1620, 600)


def svg(path, *panels: Panel, title: str = "title") -> str:
    draw_panels(path, title, panels)
    return path.read_text()


def texts(picture: str) -> list[str]:
    # Matplotlib draws letters as shapes, and says in comments what they are
    return [text.strip() for text in re.findall("<!--(.*?)-->", picture)]


def test_marks_and_crosses_are_drawn_and_explained(tmp_path):
    plain = Curve(label="training", x=[1, 2, 3], y=[3.0, 2.0, 1.0])
    marked = replace(plain, marks=[2.0], odd=[2.5])
    without = texts(svg(tmp_path / "a.svg", Panel(title="loss", curves=[plain])))
    found = texts(svg(tmp_path / "b.svg", Panel(title="loss", curves=[marked])))
    assert set(found) - set(without) == {"resumed", "not finite"}


def test_last_value_stands_beside_each_name(tmp_path):
    curves = [
        Curve(label="training", x=[1, 2], y=[0.5, 0.25]),
        Curve(label="validation", x=[1], y=[0.125], dashed=True),
    ]
    found = texts(svg(tmp_path / "a.svg", Panel(title="accuracy", curves=curves, percent=True)))
    assert {"training: 25.0%", "validation: 12.5%"} < set(found)


@pytest.mark.parametrize("name", ["$a_b^2$", "$", "_hidden", "<b>&amp;", "\x1b[31m\n", "数字"])
def test_names_are_shown_as_the_texts_they_are(tmp_path, name):
    curve = Curve(label=name, x=[1, 2], y=[0.5, 0.25])
    panel = Panel(title=name, curves=[curve], note=name)
    picture = svg(tmp_path / "a.svg", panel, title=name)
    assert sum(": 0.25" in text for text in texts(picture)) == 1
    assert "\x1b" not in picture


def test_curves_that_spread_widely_are_drawn_on_a_logarithmic_axis(tmp_path):
    found = [
        texts(
            svg(
                tmp_path / "a.svg", Panel(title="", curves=[Curve(label="", x=[0, 1, 2], y=values)])
            )
        )
        for values in ([1.0, 0.01, 0.1], [1.0, 0.01, -0.1])
    ]
    assert {"0.01", "0.1", "1"} < set(found[0])
    assert "0.01" not in found[1]


def test_one_value_far_from_all_others_leaves_them_room(tmp_path):
    noise = [-1.0 + 0.001 * k for k in range(500)]
    noise[250] = 1e9
    curve = Curve(label="", x=[0, 499], y=[-1.0, -0.5], x_noise=range(500), y_noise=noise)
    assert "\N{MINUS SIGN}0.8" in texts(svg(tmp_path / "a.svg", Panel(title="", curves=[curve])))


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_panels_are_three_in_a_row(tmp_path, count):
    panel = Panel(title="loss", curves=[Curve(label="training", x=[1, 2], y=[2.0, 1.0])])
    draw_panels(tmp_path / "a.png", "title", [panel] * count)
    sizes = {1: (810, 600), 3: (2430, 600), 4: (1620, 1200), 7: (2430, 1800)}
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == sizes[count]


def test_many_runs_have_room_for_their_names(tmp_path):
    curves = [
        Curve(label=f"a name of a run {k}", x=[1, 2], y=[k, k + 1.0], color=k, dashed=k % 2 == 1)
        for k in range(20)
    ]
    found = texts(svg(tmp_path / "a.svg", Panel(title="loss", curves=curves)))
    assert sum(text.startswith("a name of a run") for text in found) == 20


def test_picture_of_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(RefluidError, match=r"let it end in \.png, \.svg or \.pdf"):
        draw_panels(tmp_path / "curves", "title", [Panel(title="loss", curves=[])])
    assert not list(tmp_path.iterdir())


def test_curve_of_two_lengths_is_refused():
    with pytest.raises(
        ValueError, match="'loss' must be of one length, but are of lengths 2 and 1"
    ):
        Curve(label="loss", x=[1, 2], y=[1.0])


def test_picture_that_cannot_be_written_is_named(tmp_path):
    path = tmp_path / "missing" / "curves.png"
    with pytest.raises(RefluidError, match=r"curves\.png cannot be written: No such file"):
        draw_panels(path, "title", [Panel(title="loss", curves=[])])


def test_drawing_leaves_pyplot_alone(tmp_path):
    code = (
        "import sys; from refluid.observe.curves.curve import *\n"
        f"draw_panels({str(tmp_path / 'a.png')!r}, 't', [Panel(title='loss', curves=[])])\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_without_matplotlib_the_error_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from refluid import RefluidError\n"
        "from refluid.observe.curves.curve import *\n"
        "print(can_draw())\n"
        "try: draw_panels('a.png', 't', [])\n"
        "except RefluidError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False\n")
    assert "pip install 'refluid[plot]'" in done.stdout
