"""Seeded numbers are those of C++'s minstd_rand, in blocks as one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.core_avx import random


def one_by_one(seed: int, count: int) -> list[float]:
    """The engine as the C++ standard writes it."""
    state, numbers = seed % 2147483647 or 1, []
    for _ in range(count):
        state = state * 48271 % 2147483647
        numbers.append(float(np.float32(state - 1) / np.float32(2147483646)))
    return numbers


@pytest.mark.parametrize("seed", [1, 7, 12345, 2147483646, 2147483647])
def test_blocks_equal_single_draws(seed):
    engine = random.Minstd(seed)
    drawn = np.concatenate([engine.draw(n) for n in (1, 0, 4095, 4097, 3)])
    assert drawn.tolist() == one_by_one(seed, len(drawn))


def test_engine_reaches_the_state_that_the_standard_prescribes():
    # [rand.predef]: the 10000th consecutive invocation of minstd_rand produces 399268537
    engine = random.Minstd(1)
    engine.draw(10000)
    assert engine._state == 399268537


def test_normal_numbers_do_not_depend_on_how_many_are_asked_for():
    long = random.normal([10001], 1.0, 2.0, seed=3)
    short = random.normal([7], 1.0, 2.0, seed=3)
    assert long[:7].tolist() == short.tolist()
    assert abs(long.mean() - 1) < 0.1
    assert abs(long.std() - 2) < 0.1


def test_truncated_numbers_stay_within_two_deviations():
    values = random.truncated_normal([20000], 1.0, 0.5, seed=5)
    assert values.min() >= 0.0
    assert values.max() <= 2.0
    assert abs(values.std() / 0.5 - 0.88) < 0.01


def test_unseeded_numbers_come_from_torch():
    def draw():
        return [
            random.uniform([3], 0, 1, 0).tolist(),
            random.normal([3], 0, 1, 0).tolist(),
            random.truncated_normal([3], 0, 1, 0).tolist(),
            random.dropout_mask(torch.ones(9), 0.5, 0).tolist(),
        ]

    torch.manual_seed(1)
    first = draw()
    assert draw() != first
    torch.manual_seed(1)
    assert draw() == first


def test_seeded_mask_has_the_layout_of_its_input():
    mask = random.dropout_mask(torch.ones(4, 5, dtype=torch.float64), 0.5, 11)
    assert mask.dtype is torch.float64
    assert mask.flatten().tolist() == [float(u >= 0.5) for u in one_by_one(11, 20)]
