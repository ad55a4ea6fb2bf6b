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


# --- as Paddle 1.8.5 draws them, read from it --------------------------------------------------


def test_doubles_take_two_numbers_of_the_engine():
    drawn = random.uniform([5], -0.1, 0.3, 7, torch.float64)
    assert drawn.tolist() == [
        0.1380908640189033,
        -0.0034884225457702256,
        0.031131364039143877,
        0.21442349604762645,
        -0.018165134456047213,
    ]


def test_normal_doubles_are_paddles():
    drawn = random.normal([7], 0.3, 1.7, 11, torch.float64)
    expected = [
        -0.07054678142114135,
        -0.9565952836776179,
        -0.3642624615174227,
        -0.33587291979058354,
        0.7146324878318611,
        1.6041395855835736,
        0.560265392939675,
    ]
    # the logarithm of another library differs in its last bit
    np.testing.assert_allclose(drawn, expected, rtol=1e-15)


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 9, [0, 3, 0, 4, 7, 8]),
        (-5, 1000000, [107, 425253, 6759, 458154, 839962, 948657]),
        (0, 2, [0, 0, 0, 0, 1, 1]),
        (7, 8, [7] * 6),
        (0, 2000000000, [241354, 913028969, 14523488, 983668596, 1803410616, 1234543510]),
    ],
)
def test_whole_numbers_are_paddles(low, high, expected, dtype):
    drawn = random.integers([6], low, high, 5, dtype)
    assert drawn.dtype is dtype
    assert drawn.tolist() == expected


def test_seeds_hold_for_more_numbers_than_the_engine_has():
    first, second = (random.integers([9], 0, 2**40, 5) for _ in range(2))
    assert torch.equal(first, second)
    assert 0 <= int(first.min()) <= int(first.max()) < 2**40
