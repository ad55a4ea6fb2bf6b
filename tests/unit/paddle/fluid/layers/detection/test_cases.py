"""Functions of detection give the numbers and gradients that Paddle 1.8.5 gave.

`recordings.npz` was written by cases.py under PaddlePaddle 1.8.5 (CPU, Python 3.7, NumPy 1.21).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid.layers import detection

FOLDER = Path(__file__).parent
RTOL, ATOL = 1e-4, 1e-5

spec = importlib.util.spec_from_file_location("detection_cases", FOLDER / "cases.py")
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)


def load():
    recorded = {}
    with np.load(FOLDER / "recordings.npz") as arrays:
        for key in arrays.files:
            name, entry = key.rsplit("|", 1)
            recorded.setdefault(name, {})[entry] = arrays[key]
    return recorded


RECORDED = load()


def test_every_case_was_recorded():
    assert set(cases.CASES) == set(RECORDED)


def test_every_function_has_a_case():
    text = (FOLDER / "cases.py").read_text()
    assert [name for name in detection.__all__ if f"L.{name}(" not in text] == []


@pytest.mark.parametrize("name", cases.CASES)
def test_case_agrees_with_paddle(name):
    mine, expected = cases.run(fluid, name), RECORDED[name]
    assert list(mine) == list(expected)
    for entry, array in expected.items():
        assert mine[entry].shape == array.shape, entry
        assert mine[entry].dtype == array.dtype, entry
        np.testing.assert_allclose(mine[entry], array, RTOL, ATOL, err_msg=entry)
