"""Functions of detection give the numbers and gradients that Paddle 1.8.5 gave.

`recordings.npz` was written by cases.py under PaddlePaddle 1.8.5 (CPU, Python 3.7, NumPy 1.21).
"""

from __future__ import annotations

from pathlib import Path

import pytest

import recorded
from refluid.paddle import fluid
from refluid.paddle.fluid.layers import detection

FOLDER = Path(__file__).parent
cases = recorded.program(FOLDER / "cases.py")
RECORDED = recorded.read(FOLDER / "recordings.npz")


def test_every_case_was_recorded():
    assert set(cases.CASES) == set(RECORDED)


def test_every_function_has_a_case():
    text = (FOLDER / "cases.py").read_text()
    assert [name for name in detection.__all__ if f"L.{name}(" not in text] == []


@pytest.mark.parametrize("name", cases.CASES)
def test_case_agrees_with_paddle(name):
    recorded.check(cases.run(fluid, name), RECORDED[name])
