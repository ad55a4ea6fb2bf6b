"""`rnn` and decoders give the numbers and gradients of Paddle 1.8.5's static graph.

`recordings.npz` was written by cases.py under PaddlePaddle 1.8.5 (CPU, Python 3.7, NumPy 1.21).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import recorded
from refluid.paddle import fluid

FOLDER = Path(__file__).parent
cases = recorded.program(FOLDER / "cases.py")
RECORDED = recorded.read(FOLDER / "recordings.npz")


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
    recorded.check(run(name), RECORDED[name])


def test_sequences_end_at_different_steps():
    """Otherwise the recordings would say nothing about what comes behind an end."""
    for name in ("beam", "beam/impute", "train"):
        lengths = next(a for a in reversed(RECORDED[name].values()) if a.dtype == "int64")
        assert len(np.unique(lengths)) > 1, name
