"""Labelled images are whole and within their range, or are not made at all."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.data import LabeledImages
from refluid.errors import DataError


def make(images=None, labels=None) -> LabeledImages:
    if images is None:
        images = np.zeros((2, 1, 3, 3), np.float32)
    return LabeledImages(
        images=images,
        labels=np.array([0, 9] if labels is None else labels, np.int64),
        source="the file",
    )


def test_length_is_the_number_of_images():
    assert len(make()) == 2


def test_wrong_labels_name_the_source():
    for labels, found in (([1], "2 images and 1 labels"), ([0, 10], "0 to 10"), ([-1, 0], "-1")):
        with pytest.raises(DataError, match=f"the file: .*{found}"):
            make(labels=labels)


@pytest.mark.parametrize("pixel", [-0.1, 1.1, np.nan, np.inf])
def test_pixels_out_of_range_name_the_source(pixel):
    images = np.zeros((2, 1, 3, 3), np.float32)
    images[1, 0, 2, 2] = pixel
    with pytest.raises(DataError, match="the file: expected pixels from 0 to 1"):
        make(images)


def test_no_images_name_the_source():
    with pytest.raises(DataError, match="the file: expected at least one image"):
        make(np.zeros((0, 1, 3, 3), np.float32), [])
