"""Bicubic resizing against its definition, and where it must be exact."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.dataset.picture import resize_cubic


def kernel(distance: float) -> float:
    """Keys' cubic with a = -0.75, as a formula of the distance."""
    t = abs(distance)
    if t <= 1:
        return 1.25 * t**3 - 2.25 * t**2 + 1
    return -0.75 * (t**3 - 5 * t**2 + 8 * t - 4) if t < 2 else 0.0


@pytest.mark.parametrize(("old", "new"), [(7, 12), (12, 7), (5, 5), (1, 4), (9, 1)])
def test_line_is_resized_by_the_formula(old, new):
    line = np.random.RandomState(0).rand(old)
    expected = []
    for k in range(new):
        place = (k + 0.5) * old / new - 0.5
        near = range(int(np.floor(place)) - 1, int(np.floor(place)) + 3)
        values = [line[min(max(source, 0), old - 1)] for source in near]
        weights = [kernel(place - source) for source in near]
        expected.append(np.dot(values, weights))
    across = resize_cubic(line[None], new, 1)[0]
    down = resize_cubic(line[:, None], 1, new)[:, 0]
    np.testing.assert_allclose(across, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(across, down)


def test_bytes_stay_between_0_and_255():
    edge = np.zeros((8, 8, 3), np.uint8)
    edge[:, 4:] = 255
    resized = resize_cubic(edge, 29, 29)
    assert resized.dtype == np.uint8
    assert resized[0, :, 0].tolist() == sorted(resized[0, :, 0].tolist())
    assert np.unique(resize_cubic(np.full((3, 5), 77, np.uint8), 8, 9)).tolist() == [77]
