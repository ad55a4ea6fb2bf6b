"""A sweep is drawn whatever was tried and whatever came out."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import Image

from refluid.errors import RefluidError
from refluid.sweep.ledger import COMPLETE, FAILED, Trial
from refluid.sweep.picture import draw_sweep

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

ORANGE, GRAY = (0xD5, 0x5E, 0x00), (0x66, 0x66, 0x66)


def colors_of(path) -> dict[tuple[int, ...], int]:
    with Image.open(path) as image:
        return {color: count for count, color in image.convert("RGB").getcolors(1 << 24)}


def trials_with(values: list[dict[str, str]], results: list[float | None]) -> list[Trial]:
    return [
        Trial(
            number=number,
            values=each,
            state=FAILED if result is None else COMPLETE,
            value=result,
        )
        for number, (each, result) in enumerate(zip(values, results, strict=True), 1)
    ]


def test_winner_is_marked_in_each_panel(tmp_path, plan):
    marked = []
    for tried in (["x=0.0..1.0"], ["x=0.0..1.0", "mode=a,b"]):
        values = [{"x": "0.1", "mode": "a"}, {"x": "0.7", "mode": "b"}]
        trials = trials_with(values, [0.3, 0.9])
        assert draw_sweep(tmp_path / "sweep.png", plan(*tried), trials)
        marked.append(colors_of(tmp_path / "sweep.png").get(ORANGE, 0))
    # once in the legend, and once in each panel
    one = marked[0] / 2
    assert one > 50
    assert marked[1] == pytest.approx(3 * one, rel=0.2)


@pytest.mark.parametrize(
    ("tried", "values", "results"),
    [
        ("x=1e-100..1e100:log", ["1e-100", "1e100"], [0.5, 0.5]),
        ("x=1..3:log", ["1", "3"], [None, 0.5]),
        ("x=0.1..0.1000001:log", ["0.1", "0.10000005"], [1e-9, 1e300]),
        ("x=-1e100..1e100", ["-1e99", "1e100"], [-1e300, 1e300]),
        ("x=5..6", ["5", "6"], [0.0, -0.0]),
        ("x=$a^,a_very_long_value_that_no_axis_can_show,<b>,x", ["$a^", "<b>"], [5e-324, 1.0]),
    ],
)
def test_odd_values_are_drawn_without_a_complaint(tmp_path, plan, tried, values, results):
    trials = trials_with([{"x": value} for value in values], results)
    assert draw_sweep(tmp_path / "sweep.png", plan(tried, minimize=True), trials)
    with Image.open(tmp_path / "sweep.png") as image:
        assert image.size == (900, 600)


def test_many_options_are_drawn_in_rows(tmp_path, plan):
    tried = [f"option-{k}=0..{k + 1}" for k in range(7)]
    trials = trials_with([{f"option-{k}": "1" for k in range(7)}], [0.5])
    assert draw_sweep(tmp_path / "sweep.png", plan(*tried), trials)
    with Image.open(tmp_path / "sweep.png") as image:
        assert image.size == (1890, 1680)


def test_picture_that_cannot_be_written_is_named(tmp_path, plan):
    trials = trials_with([{"x": "0.5"}], [0.5])
    with pytest.raises(RefluidError, match=r"sweep\.png cannot be written: No such file"):
        draw_sweep(tmp_path / "missing" / "sweep.png", plan("x=0.0..1.0"), trials)


def test_drawing_leaves_pyplot_alone_and_can_be_left_out(tmp_path, plan, monkeypatch):
    code = "import sys, refluid.sweep.picture\nprint('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    trials = trials_with([{"x": "0.5"}], [0.5])
    assert not draw_sweep(tmp_path / "sweep.png", plan("x=0.0..1.0"), trials)
    assert list(tmp_path.glob("*.png")) == []
