"""Features of regions, against loops over their parts, and how regions find their images."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.core_avx import EnforceNotMet


def round_away(value):
    return int(np.copysign(np.floor(abs(value) + 0.5), value))


def pool_by_hand(images, regions, owners, height, width, scale):
    out = np.zeros((len(regions), images.shape[1], height, width), images.dtype)
    for number, region in enumerate(regions):
        left, top, right, bottom = (round_away(edge * scale) for edge in region)
        for row in range(height):
            for column in range(width):
                ends = []
                for start, end, k, count, size in (
                    (top, bottom, row, height, images.shape[2]),
                    (left, right, column, width, images.shape[3]),
                ):
                    step = max(end - start + 1, 1) / count
                    low, high = np.floor(k * step) + start, np.ceil((k + 1) * step) + start
                    ends.append(slice(int(np.clip(low, 0, size)), int(np.clip(high, 0, size))))
                part = images[owners[number]][:, ends[0], ends[1]]
                if part.size:
                    out[number, :, row, column] = part.max((1, 2))
    return out


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 4), (5, 3)])
def test_roi_pool_is_the_greatest_value_of_each_part(variable, height, width):
    random = np.random.default_rng(1)
    images = random.normal(size=(2, 3, 17, 23)).astype("float32")
    regions = random.uniform(-6, 50, (30, 4)).astype("float32")
    starts = variable([0, 12, 30], "int64")
    out = L.roi_pool(variable(images), variable(regions), height, width, 0.5, starts)
    expected = pool_by_hand(images, regions, [0] * 12 + [1] * 18, height, width, 0.5)
    np.testing.assert_array_equal(out.numpy(), expected)


def test_gradient_of_roi_pool_goes_to_the_first_of_equals(variable):
    images = variable(np.zeros((1, 1, 3, 4)))
    regions, starts = variable([[1, 0, 3, 2]]), variable([0, 1], "int64")
    L.reduce_sum(L.roi_pool(images, regions, rois_lod=starts)).backward()
    assert images.gradient()[0, 0].tolist() == [[0, 1, 0, 0], [0] * 4, [0] * 4]


def test_roi_align_of_a_plane_is_the_plane_at_the_middle_of_each_part(variable):
    rows, columns = np.mgrid[:12, :15]
    images = variable((2.0 * rows - 0.5 * columns)[None, None])
    regions, starts = variable([[2, 1, 8, 9], [3, 3, 5, 5]]), variable([0, 2], "int64")
    out = L.roi_align(images, regions, 2, 3, rois_lod=starts).numpy()
    for region, values in zip([[2, 1, 8, 9], [3, 3, 5, 5]], out[:, 0], strict=True):
        left, top, right, bottom = region
        y = top + (np.arange(2) + 0.5) * (bottom - top) / 2
        x = left + (np.arange(3) + 0.5) * (right - left) / 3
        np.testing.assert_allclose(values, 2 * y[:, None] - 0.5 * x, rtol=1e-5)


@pytest.mark.parametrize("name", ["roi_align", "roi_pool"])
def test_no_regions_give_no_features(variable, name):
    images, starts = variable(np.ones((2, 3, 4, 4))), variable([0, 0, 0], "int64")
    regions = variable(np.zeros((0, 4)))
    out = getattr(L, name)(images, regions, 2, 2, rois_lod=starts)
    assert out.shape == [0, 3, 2, 2]


@pytest.mark.parametrize("name", ["roi_align", "roi_pool"])
def test_an_image_without_regions(variable, name):
    images = variable(np.arange(48).reshape(3, 1, 4, 4))
    regions = variable([[0, 0, 3, 3], [0, 0, 3, 3]])
    out = getattr(L, name)(images, regions, rois_lod=variable([0, 1, 1, 2], "int64"))
    np.testing.assert_allclose(out.numpy()[1] - out.numpy()[0], 32, rtol=1e-6)


@pytest.mark.parametrize("name", ["roi_align", "roi_pool"])
def test_a_computed_region_does_not_know_its_image(variable, name):
    images = variable(np.ones((1, 1, 4, 4)))
    scores, codes = variable(np.ones((1, 1, 2, 2))), variable(np.zeros((1, 4, 2, 2)))
    anchors = variable(np.tile([0, 0, 3, 3], (2, 2, 1, 1)))
    found = L.generate_proposals(scores, codes, variable([[4, 4, 1]]), anchors, anchors * 0.0)[0]
    assert getattr(L, name)(images, found).shape == [1, 1, 1, 1]
    with pytest.raises(EnforceNotMet, match="`rois_lod` must be given"):
        getattr(L, name)(images, found * 1.0)


def test_values_that_are_no_numbers_do_not_break_roi_pool(variable):
    images = np.ones((1, 1, 6, 6))
    images[0, 0, 2, 2] = np.nan
    starts = variable([0, 1], "int64")
    out = L.roi_pool(variable(images), variable([[0, 0, 5, 5]]), 1, 1, rois_lod=starts)
    assert out.shape == [1, 1, 1, 1]
