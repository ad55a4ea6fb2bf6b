"""Parameters with given values and gradients, and optimizers followed by a formula in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.dygraph.base import guard, to_variable
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.param_attr import ParamAttr

STEPS = 7


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


@pytest.fixture
def loss():
    return to_variable(np.zeros(1, "float32"))


@pytest.fixture
def parameter():
    """Make a parameter that starts from `values`; `**attr` as for ParamAttr."""

    def make(values, grad=None, dtype="float32", **attr):
        values = np.asarray(values, dtype)
        p = Layer().create_parameter(list(values.shape), ParamAttr(**attr), dtype)
        p.set_value(values)
        if grad is not None:
            p.grad = torch.from_numpy(np.array(grad, dtype))
        return p

    return make


@pytest.fixture
def follow(parameter, loss):
    """Check an optimizer against `formula(p, g, state, step)`, steps counted from 1."""

    def run(make, formula, dtype="float32"):
        random = np.random.default_rng(1)
        starts = [random.uniform(-1, 1, shape).astype(dtype) for shape in ((1,), (4, 3))]
        params = [parameter(start, dtype=dtype) for start in starts]
        optimizer = make(params)
        expected = [start.astype("float64") for start in starts]
        states = [{}, {}]
        for step in range(1, STEPS + 1):
            for k, p in enumerate(params):
                g = random.uniform(-1, 1, p.shape).astype(dtype)
                p.grad = torch.from_numpy(g.copy())
                expected[k] = formula(expected[k], g.astype("float64"), states[k], step)
            optimizer.minimize(loss)
            for k, p in enumerate(params):
                np.testing.assert_allclose(p.numpy(), expected[k], rtol=1e-5, atol=2e-6)
        return optimizer

    return run
