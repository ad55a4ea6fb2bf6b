"""Functions of fluid.layers give the numbers and gradients that Paddle 1.8.5 gave.

`recordings.npz` was written by cases.py under PaddlePaddle 1.8.5 (CPU, Python 3.7, NumPy 1.21).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from refluid.paddle import fluid

FOLDER = Path(__file__).parent
RTOL, ATOL = 1e-4, 1e-5

spec = importlib.util.spec_from_file_location("layers_cases", FOLDER / "cases.py")
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)


def load():
    recorded = {}
    with np.load(FOLDER / "recordings.npz") as arrays:
        for key in arrays.files:
            expression, name = key.rsplit("|", 1)
            recorded.setdefault(expression, {})[name] = arrays[key]
    return recorded


RECORDED = load()


def test_every_case_was_recorded():
    assert set(cases.expressions()) == set(RECORDED)


@pytest.mark.filterwarnings("ignore:.*converted to float32")
@pytest.mark.parametrize("expression", cases.expressions())
def test_case_agrees_with_paddle(expression):
    with fluid.dygraph.guard(fluid.CPUPlace()):
        mine = cases.run(fluid, expression)
    expected = RECORDED[expression]
    assert sorted(mine) == sorted(expected)
    for name, array in expected.items():
        assert mine[name].shape == array.shape, name
        assert mine[name].dtype == array.dtype, name
        np.testing.assert_allclose(mine[name], array, RTOL, ATOL, err_msg=name)
