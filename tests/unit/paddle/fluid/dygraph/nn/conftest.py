"""Variables from seeded numbers, in an open guard."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.dygraph.base import guard, to_variable


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


@pytest.fixture
def numbers():
    """Make a float32 array, uniform in [-1, 1), the same for one seed and shape."""

    def make(seed, *shape):
        return np.random.RandomState(seed).uniform(-1, 1, shape).astype("float32")

    return make


@pytest.fixture
def variable():
    """Make a variable that gets a gradient if it can have one."""

    def make(values, dtype=None):
        made = to_variable(np.asarray(values, dtype))
        made.stop_gradient = False
        return made

    return make
