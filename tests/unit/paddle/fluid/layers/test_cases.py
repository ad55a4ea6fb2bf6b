"""Functions of fluid.layers give the numbers and gradients that Paddle 1.8.5 gave.

`recordings.npz` was written by cases.py under PaddlePaddle 1.8.5 (CPU, Python 3.7, NumPy 1.21).
"""

from __future__ import annotations

from pathlib import Path

import pytest

import recorded
from refluid.paddle import fluid

FOLDER = Path(__file__).parent
cases = recorded.program(FOLDER / "cases.py")
RECORDED = recorded.read(FOLDER / "recordings.npz")


def test_every_case_was_recorded():
    assert set(cases.expressions()) == set(RECORDED)


@pytest.mark.filterwarnings("ignore:.*converted to float32")
@pytest.mark.parametrize("expression", cases.expressions())
def test_case_agrees_with_paddle(expression):
    with fluid.dygraph.guard(fluid.CPUPlace()):
        mine = cases.run(fluid, expression)
    recorded.check(mine, RECORDED[expression])
