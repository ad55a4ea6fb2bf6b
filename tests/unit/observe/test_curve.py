"""Curves become a picture that can be looked at, of whatever a run has measured."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from PIL import Image

from refluid.errors import RefluidError
from refluid.observe.curve import Curve, Panel, draw_panels


def colors_of(path) -> dict[tuple[int, ...], int]:
    with Image.open(path) as image:
        return {color: count for count, color in image.convert("RGB").getcolors(1 << 24)}


BLUE, ORANGE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)


def test_each_curve_has_a_color_of_its_own(tmp_path):
    one = Curve(label="training", x=[1, 2, 3], y=[3.0, 2.0, 1.0])
    two = Curve(label="validation", x=[1, 2, 3], y=[3.0, 2.5, 2.0])
    draw_panels(tmp_path / "one.png", "one", [Panel(title="loss", curves=[one])])
    draw_panels(tmp_path / "two.png", "two", [Panel(title="loss", curves=[one, two])])
    assert colors_of(tmp_path / "one.png").get(BLUE, 0) > 100
    assert ORANGE not in colors_of(tmp_path / "one.png")
    assert colors_of(tmp_path / "two.png").get(ORANGE, 0) > 100


@pytest.mark.parametrize(
    "values",
    [[], [0.5], [0.0, 0.0], [1.0, math.nan], [math.nan], [math.inf, 1.0], [-1.0, 0.0], [1e-300, 1]],
)
@pytest.mark.parametrize("logarithmic", [False, True])
def test_odd_values_are_drawn_without_a_complaint(tmp_path, values, logarithmic):
    curve = Curve(label="training", x=range(len(values)), y=values)
    panel = Panel(title="loss", curves=[curve], logarithmic=logarithmic)
    draw_panels(tmp_path / "curves.png", "title", [panel, panel])
    with Image.open(tmp_path / "curves.png") as image:
        assert image.size == (1620, 600)


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
        "import sys; from refluid.observe.curve import *\n"
        f"draw_panels({str(tmp_path / 'a.png')!r}, 't', [Panel(title='loss', curves=[])])\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_without_matplotlib_the_error_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from refluid import RefluidError\n"
        "from refluid.observe.curve import *\n"
        "print(can_draw())\n"
        "try: draw_panels('a.png', 't', [])\n"
        "except RefluidError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False\n")
    assert "pip install 'refluid[plot]'" in done.stdout
