"""A scale holds what is drawn on it, and is labeled at round values."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.observe.report.scale import Scale, fitted


def labels(scale: Scale) -> list[str]:
    return [label for _, label in scale.ticks()]


def test_places_are_where_the_values_are():
    scale = Scale(low=0, high=10, begin=100, end=0)
    assert scale.places(np.array([0.0, 5.0, 10.0])).tolist() == [100, 50, 0]
    logarithmic = Scale(low=1, high=100, begin=0, end=2, logarithmic=True)
    assert logarithmic.places(np.array([1.0, 10.0, 100.0])) == pytest.approx([0, 1, 2])


def test_what_is_nowhere_is_nan():
    logarithmic = Scale(low=1, high=100, begin=0, end=2, logarithmic=True)
    with np.errstate(all="raise"):
        assert np.isnan(logarithmic.places(np.array([0.0, -1.0, np.nan, np.inf]))).all()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 100, ["0", "20", "40", "60", "80", "100"]),
        (0, 400_000, ["0", "100k", "200k", "300k", "400k"]),
        (-0.3, 0.31, ["-0.2", "0", "0.2"]),
        (0, 5e-5, ["0", "1e-5", "2e-5", "3e-5", "4e-5", "5e-5"]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert labels(Scale(low=low, high=high, begin=0, end=1)) == expected


def test_ticks_may_be_whole():
    assert labels(Scale(low=0, high=2, begin=0, end=1, whole=True)) == ["0", "1", "2"]


def test_logarithmic_ticks_are_powers_of_ten_or_their_halves_and_fifths():
    few = Scale(low=0.04, high=3, begin=0, end=1, logarithmic=True)
    assert labels(few) == ["0.05", "0.1", "0.2", "0.5", "1", "2"]
    many = Scale(low=1e-9, high=10, begin=0, end=1, logarithmic=True)
    assert labels(many) == ["1e-8", "1e-6", "0.0001", "0.01", "1"]


def test_very_different_sizes_make_it_logarithmic_unless_it_must_not_be():
    values = np.array([2.0, 0.01])
    assert fitted([values], [], 1, 0).logarithmic
    assert not fitted([values], [], 1, 0, ratios=False).logarithmic
    assert not fitted([np.array([0.0, 2.0])], [], 1, 0).logarithmic


def test_shares_end_at_one():
    scale = fitted([np.array([0.2, 1.0])], [], 1, 0, share=True)
    assert scale.high == 1.0
    assert labels(scale) == ["20%", "40%", "60%", "80%", "100%"]


def test_outliers_of_the_noise_do_not_stretch_it():
    noise = np.concatenate([np.linspace(1, 2, 200), [1e6]])
    assert fitted([np.array([1.0, 2.0])], [noise], 1, 0).high < 3


@pytest.mark.parametrize(
    "values", [[], [np.nan], [np.inf], [3.0], [0.0], [-5.0, -5.0], [1e308, -1e308], [1e-320, 0.0]]
)
def test_any_values_make_a_scale_with_ticks(values):
    with np.errstate(over="ignore"):
        scale = fitted([np.array(values, float)], [], 1, 0)
    assert scale.low < scale.high
    places = [place for place, _ in scale.ticks()]
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)
    assert places
