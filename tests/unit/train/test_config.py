"""A run is described completely and within its ranges, or not at all."""

from __future__ import annotations

import math

import pytest

from refluid.train.config import FIRST_RATES, OptimizerName, TrainConfig


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("epochs", 0, "`epochs` must be at least 1, but is 0"),
        ("batch_size", -1, "`batch_size` must be at least 1, but is -1"),
        ("lr", 0.0, "`lr` must be above 0, but is 0.0"),
        ("lr", math.nan, "`lr` must be above 0, but is nan"),
        ("lr", math.inf, "`lr` must be above 0, but is inf"),
        ("l2", -0.1, "`l2` must be at least 0, but is -0.1"),
        ("l2", math.nan, "`l2` must be at least 0, but is nan"),
        ("seed", 0, "`seed` must be from 1 to 2147483646, but is 0"),
        ("seed", 2**31, "`seed` must be from 1 to 2147483646"),
    ],
)
def test_value_out_of_range_is_named(name, value, expected):
    with pytest.raises(ValueError, match=expected):
        TrainConfig(**{name: value})


def test_all_wrong_values_are_named_at_once():
    with pytest.raises(ValueError, match=r"`epochs` must.*; `seed` must"):
        TrainConfig(epochs=0, seed=0)


def test_each_optimizer_has_a_rate_of_its_own():
    assert set(FIRST_RATES) == set(OptimizerName)
    for name in OptimizerName:
        assert TrainConfig(optimizer=name).first_rate == FIRST_RATES[name]
        assert TrainConfig(optimizer=name, lr=0.5).first_rate == 0.5
