"""What is logged comes out as exact floats, and the epoch's means go on after a restore."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from refluid.loop.metrics import Metrics


def test_numbers_of_every_kind_become_floats():
    metrics = Metrics()
    third = np.float32(1) / np.float32(3)
    values = [1, True, 0.1, torch.tensor(third), torch.tensor([third]), np.array([[third]]), third]
    for step, value in enumerate(values):
        metrics.log(step, 0, "x", value)
    expected = [1.0, 1.0, 0.1, *[float(third)] * 4]
    assert [value.hex() for _, _, value in metrics.take()] == [v.hex() for v in expected]
    assert metrics.take() == []


@pytest.mark.parametrize(
    "value", [torch.ones(2), np.ones(0), "0.5", None, 1j, torch.tensor(1j), [0.5]]
)
def test_what_is_not_one_number_is_refused_by_name(value):
    with pytest.raises(TypeError, match="`loss` must be a number"):
        Metrics().log(0, 0, "loss", value)


def test_a_logged_tensor_may_change_afterwards():
    metrics = Metrics()
    total = torch.zeros(1)
    for step in range(3):
        total += 1
        metrics.log(step, 0, "total", total)
    assert [value for _, _, value in metrics.take()] == [1.0, 2.0, 3.0]


def test_means_are_those_of_the_last_epoch_and_go_on_from_what_was_captured():
    metrics = Metrics()
    values = [0.1, 0.7, 1e-9, 3.3, 0.2]
    for step, value in enumerate(values[:2]):
        metrics.log(step, 0, "loss", value)
    for step, value in enumerate(values[2:4]):
        metrics.log(2 + step, 1, "loss", value)
    other = Metrics()
    other.restore(metrics.capture())
    for one in (metrics, other):
        one.log(4, 1, "loss", values[4])
    assert metrics.means() == other.means() == {"loss": (values[2] + values[3] + values[4]) / 3}
    assert other.last == {"loss": 0.2}


def test_nan_stays_nan():
    metrics = Metrics()
    metrics.log(0, 0, "loss", torch.tensor(math.nan))
    assert math.isnan(metrics.take()[0][2])
