"""`rnn` and decoders give the numbers and gradients of Paddle 1.8.5's static graph.

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

spec = importlib.util.spec_from_file_location("recurrent_cases", FOLDER / "cases.py")
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)


def load():
    recorded = {}
    with np.load(FOLDER / "recordings.npz") as arrays:
        for key in arrays.files:
            name, part = key.rsplit("|", 1)
            recorded.setdefault(name, {})[part] = arrays[key]
    return recorded


RECORDED = load()


def run(name):
    v = {key: fluid.dygraph.to_variable(array.copy()) for key, array in cases.INPUTS.items()}
    for key in cases.FLOATS:
        v[key].stop_gradient = False
    outputs = cases.flatten(cases.cases(fluid, v)[name]())
    found = {f"out{k}": each.numpy() for k, each in enumerate(outputs)}
    if name not in cases.NO_GRADIENT:
        cases.loss_of(fluid.layers, [o for o in outputs if not o.stop_gradient]).backward()
        grads = {f"grad {key}": v[key].gradient() for key in cases.FLOATS}
        found |= {key: grad for key, grad in grads.items() if grad is not None}
    return found


def test_every_case_was_recorded():
    assert set(cases.NAMES) == set(RECORDED)


@pytest.mark.parametrize("name", cases.NAMES)
def test_case_agrees_with_paddle(name):
    found = run(name)
    assert sorted(found) == sorted(RECORDED[name])
    for part, array in RECORDED[name].items():
        assert found[part].dtype == array.dtype, part
        np.testing.assert_allclose(found[part], array, RTOL, ATOL, err_msg=part)


def test_sequences_end_at_different_steps():
    """Otherwise the recordings would say nothing about what comes behind an end."""
    for name in ("beam", "beam/impute", "train"):
        lengths = next(a for a in reversed(RECORDED[name].values()) if a.dtype == "int64")
        assert len(np.unique(lengths)) > 1, name
