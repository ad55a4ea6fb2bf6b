"""The loss of YOLO, however many images and true boxes are compared at once."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L

ANCHORS = [10, 13, 16, 30, 33, 23]
DTYPES = "float32", "float32", "int32"


def loss(x, boxes, labels):
    return L.yolov3_loss(x, boxes, labels, ANCHORS, [0, 1, 2], 1, 0.4, 8)


@pytest.fixture
def scene():
    """A map, and so many true boxes that those of several images are no longer taken at once."""
    random = np.random.default_rng(1)
    x = random.normal(size=(1, 18, 38, 38))
    centre, size = random.uniform(0, 1, (1, 40, 2)), random.uniform(0.02, 0.2, (1, 40, 2))
    return x, np.concatenate([centre, size], 2), np.zeros((1, 40))


def test_the_loss_of_an_image_does_not_depend_on_the_others(variable, scene):
    alone = loss(*(variable(a, t) for a, t in zip(scene, DTYPES, strict=True))).numpy()
    many = (variable(np.repeat(a, 8, 0), t) for a, t in zip(scene, DTYPES, strict=True))
    np.testing.assert_array_equal(loss(*many).numpy(), np.repeat(alone, 8))


def test_boxes_without_a_size_stand_for_none(variable, scene):
    x, boxes, labels = scene
    more = np.concatenate([boxes, boxes * [1, 1, 0, 1]], 1), np.concatenate([labels] * 2, 1)
    made = [variable(a, t) for a, t in zip((x, *more), DTYPES, strict=True)]
    expected = loss(*(variable(a, t) for a, t in zip(scene, DTYPES, strict=True)))
    np.testing.assert_array_equal(loss(*made).numpy(), expected.numpy())


def test_without_true_boxes_all_is_no_object(variable, scene):
    x, boxes, labels = scene
    made = (variable(a, t) for a, t in zip((x, boxes * 0, labels), DTYPES, strict=True))
    codes = x.reshape(3, 6, 38, 38)[:, 4]
    np.testing.assert_allclose(loss(*made).numpy(), np.log1p(np.exp(codes)).sum(), rtol=1e-5)
