"""A dynamic graph on the CPU around every test, and a short way to make variables."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid


@pytest.fixture(autouse=True)
def graph():
    with fluid.dygraph.guard(fluid.CPUPlace()):
        yield


@pytest.fixture
def variable():
    """Make a variable of values; gradients flow into floats unless `grad` is False."""

    def make(values, dtype="float32", grad=True):
        made = fluid.dygraph.to_variable(np.array(values, dtype))
        made.stop_gradient = not (grad and dtype.startswith("float"))
        return made

    return make
