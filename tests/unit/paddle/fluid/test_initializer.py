"""Initial values; their seeded numbers are compared with Paddle's in tests/parity."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import initializer
from refluid.paddle.fluid.dygraph.base import guard
from refluid.paddle.fluid.framework import ParamBase, default_main_program


@pytest.fixture(autouse=True)
def _graph():
    with guard():
        yield


def filled(init: initializer.Initializer, *shape: int, dtype: str = "float32") -> np.ndarray:
    param = ParamBase(shape, dtype)
    init(param)
    return param.numpy()


def test_limits_follow_the_fans():
    limit = np.sqrt(6 / (30 * 15 + 20 * 15))
    values = filled(initializer.Xavier(), 20, 30, 3, 5)
    assert 0.99 * limit < abs(values).max() <= limit
    values = filled(initializer.MSRA(), 400, 100)
    assert 0.99 * np.sqrt(6 / 400) < abs(values).max() <= np.sqrt(6 / 400)
    values = filled(initializer.Xavier(uniform=False, fan_in=8, fan_out=42), 300, 300)
    assert abs(values.std() - np.sqrt(2 / 50)) < 0.002


def test_uniform_sets_a_diagonal():
    values = filled(initializer.Uniform(0, 0.5, diag_num=3, diag_step=4, diag_val=9.0), 4, 4)
    assert values.diagonal().tolist()[:3] == [9, 9, 9]
    assert (values == 9).sum() == 3


def test_a_seed_repeats_and_none_does_not():
    assert (filled(initializer.Normal(), 9) != filled(initializer.Normal(), 9)).any()
    assert (filled(initializer.Normal(seed=4), 9) == filled(initializer.Normal(seed=4), 9)).all()
    default_main_program().random_seed = 4
    assert (filled(initializer.Normal(), 9) == filled(initializer.Normal(seed=4), 9)).all()


def test_element_types_are_kept():
    assert filled(initializer.Uniform(), 3, dtype="float64").dtype == np.float64
    assert filled(initializer.Constant(3), 2, dtype="int64").tolist() == [3, 3]


def test_an_array_must_fit():
    values = np.arange(6.0).reshape(3, 2)
    assert filled(initializer.NumpyArrayInitializer(values), 2, 3).tolist() == [
        [0, 1, 2],
        [3, 4, 5],
    ]
    with pytest.raises(ValueError, match=r"shape \[4\], but the array .* \[3, 2\]"):
        filled(initializer.NumpyArrayInitializer(values), 4)
    with pytest.raises(ValueError, match=r"shape \[C_out, C_in, k, k\]"):
        filled(initializer.Bilinear(), 2, 2, 3, 4)
