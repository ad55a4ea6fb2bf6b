"""Thinning only leaves points out, smoothing only takes means, and neither hides what is odd."""

from __future__ import annotations

import math

import numpy as np
import pytest

from refluid.observe.curves.series import smoothed, thin


def series(count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(count), np.random.default_rng(count).normal(size=count)


@pytest.mark.parametrize("count", [0, 1, 5, 99, 100])
def test_what_is_small_enough_stays_as_it_is(count):
    steps, values = series(count)
    found = thin(steps, values, 100)
    assert found[0] is steps
    assert found[1] is values


@pytest.mark.parametrize("count", [101, 150, 1000, 99_991])
def test_thinned_points_are_points_with_the_extremes_and_both_ends(count):
    steps, values = series(count)
    few_steps, few = thin(steps, values, 100)
    assert len(few) == len(few_steps) <= 100
    assert (np.diff(few_steps) > 0).all()
    assert (values[few_steps] == few).all()
    assert (few.min(), few.max()) == (values.min(), values.max())
    assert (few_steps[0], few_steps[-1]) == (0, count - 1)


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_single_value_that_is_not_finite_is_not_thinned_away(odd):
    steps, values = series(10_000)
    values[1234] = odd
    few_steps, few = thin(steps, values, 50)
    assert list(few_steps[~np.isfinite(few)]) == [1234]


def test_every_group_keeps_its_own_extremes():
    steps = np.arange(12_000)
    values = np.zeros(12_000)
    values[::400], values[200::400] = 1.0, -1.0
    few_steps, few = thin(steps, values, 302)
    assert set(np.unique(few)) == {-1.0, 0.0, 1.0}
    assert len(few_steps[few == 1.0]) == len(few_steps[few == -1.0]) == 30


def test_series_without_a_number_keeps_its_ends():
    steps, _ = series(1000)
    few_steps, few = thin(steps, np.full(1000, math.nan), 20)
    assert np.isnan(few).all()
    assert (few_steps[0], few_steps[-1]) == (0, 999)


@pytest.mark.parametrize("count", [1, 2, 7, 50, 101])
@pytest.mark.parametrize("window", [1, 2, 3, 8, 49, 1000])
def test_smoothed_value_is_the_mean_of_what_is_around(count, window):
    _, values = series(count)
    reach = window // 2
    found = smoothed(values, window)
    for k in range(count):
        around = [values[j] for j in range(max(0, k - reach), min(count, k + reach + 1))]
        assert found[k] == pytest.approx(math.fsum(around) / len(around), abs=1e-12)


def test_values_that_are_not_finite_are_left_out_of_means():
    values = np.array([1.0, math.nan, 3.0, math.inf, math.nan, math.nan, 5.0])
    found = smoothed(values, 3)
    assert found[:4].tolist() == [1.0, 2.0, 3.0, 3.0]
    assert math.isnan(found[4])
    assert found[5:].tolist() == [5.0, 5.0]


def test_one_huge_value_spoils_only_the_means_that_it_is_in():
    values = np.ones(1000)
    values[500] = 1e30
    found = smoothed(values, 11)
    assert (found[:495] == 1.0).all()
    assert (found[506:] == 1.0).all()


def test_nothing_is_smoothed_to_nothing():
    assert smoothed(np.zeros(0), 5).shape == (0,)


def test_senseless_sizes_are_refused():
    with pytest.raises(ValueError, match="`max_points` must be at least 5, but received 4"):
        thin(*series(10), 4)
    with pytest.raises(ValueError, match="`window` must be at least 1, but received 0"):
        smoothed(np.zeros(3), 0)
