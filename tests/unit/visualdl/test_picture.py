"""Arrays as pictures."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.visualdl.picture import grid, to_hwc

IMAGE = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)


@pytest.mark.parametrize("dataformats", ["HWC", "CHW", "WHC", "hwc"])
def test_axes_are_put_in_order(dataformats: str) -> None:
    given = IMAGE.transpose(["HWC".index(axis) for axis in dataformats.upper()])
    assert np.array_equal(to_hwc(given, dataformats), IMAGE)


def test_one_channel_is_gray() -> None:
    gray = IMAGE[:, :, 0]
    for given, axes in ((gray, "HW"), (gray.T, "WH"), (gray[None], "CHW")):
        assert np.array_equal(to_hwc(given, axes), np.stack([gray] * 3, 2))


def test_shares_of_brightness_are_scaled_and_the_array_stays() -> None:
    given = np.array([[0, 0.5, 1.0]])
    assert to_hwc(given, "HW")[0, :, 0].tolist() == [0, 127, 255]
    assert given.tolist() == [[0, 0.5, 1.0]]


def test_brightness_outside_is_the_nearest() -> None:
    given = np.array([[-5.0, 300.0, np.nan, np.inf, 3.9]])
    assert to_hwc(given, "HW")[0, :, 0].tolist() == [0, 255, 0, 255, 3]


def test_several_pictures_become_rows_of_eight() -> None:
    given = np.stack([np.full((2, 3, 3), 10 * k, np.uint8) for k in range(10)])
    whole = to_hwc(given, "NHWC")
    assert whole.shape == (4, 24, 3)
    assert whole[0, ::3, 0].tolist() == [0, 10, 20, 30, 40, 50, 60, 70]
    assert whole[2, ::3, 0].tolist() == [80, 90, 0, 0, 0, 0, 0, 0]


def test_grid_is_as_square_as_it_can_be_and_centers_smaller_pictures() -> None:
    given = [np.full((4, 4), 100), np.full((2, 2), 50), np.full((4, 4), 25)]
    whole = grid(given, "HW")[:, :, 0]
    assert whole.shape == (8, 8)
    assert whole[0:4, 4:8].tolist() == [[0] * 4, [0, 50, 50, 0], [0, 50, 50, 0], [0] * 4]
    assert grid(given, "HW", rows=3).shape == (12, 4, 3)
    assert grid(given, "HW", scale=0.5)[:, :, 0].shape == (4, 4)


def test_fourth_channel_is_opacity_over_white() -> None:
    given = np.array([[[200, 0, 0, 0], [200, 0, 0, 255], [200, 0, 0, 51]]], np.uint8)
    assert to_hwc(given, "HWC").tolist() == [[[255, 255, 255], [200, 0, 0], [244, 204, 204]]]


@pytest.mark.parametrize(
    ("given", "axes", "words"),
    [
        (IMAGE, "HW", "`img` must have the axes HW"),
        (IMAGE, "HHC", "`dataformats` must be"),
        (IMAGE, None, "`dataformats` must be"),
        (IMAGE, "CHW", "`img` must have 1, 3 or 4 channels"),
        (np.zeros((0, 3)), "HW", "`img` must have the axes"),
    ],
)
def test_wrong_layout_is_named(given: np.ndarray, axes: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        to_hwc(given, axes)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"rows": 3}, "`rows`"), ({"rows": 0}, "`rows`"), ({"scale": 0.0}, "`scale`")],
)
def test_wrong_grid_is_named(options: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        grid([IMAGE, IMAGE], "HWC", **options)
    with pytest.raises(ValueError, match="`imgs` must hold a picture"):
        grid([], "HWC")
