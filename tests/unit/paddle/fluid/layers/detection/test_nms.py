"""Keeping the best of overlapping boxes, against the rule written out box by box."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid import layers as L
from refluid.paddle.fluid.layers.detection.nms import keep_best
from refluid.paddle.fluid.layers.detection.overlap import polygon_overlap


def crowd(seed, images, count, size):
    """Boxes of which many lie upon each other."""
    random = np.random.default_rng(seed)
    low = random.uniform(0, 10, (images, count, 2))
    return np.concatenate([low, low + random.uniform(size / 2, size, low.shape)], -1)


def iou(one, other):
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    common = np.prod(np.maximum(high - low, 0))
    return common / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - common)


def best_by_hand(boxes, scores, threshold, top, keep, limit, eta):
    """The rows of one image; class 0 is the background."""
    found = []
    for label in range(1, len(scores)):
        order = [
            k for k in np.argsort(-scores[label], kind="stable") if scores[label][k] > threshold
        ]
        kept, adaptive = [], limit
        for k in order[: None if top < 0 else top]:
            if all(iou(boxes[k], boxes[j]) <= adaptive for j in kept):
                kept.append(k)
                if eta < 1 and adaptive > 0.5:
                    adaptive *= eta
        found += [(label, scores[label][k], *boxes[k]) for k in kept]
    if keep >= 0:
        best = sorted(range(len(found)), key=lambda k: -found[k][1])[:keep]
        found = [found[k] for k in sorted(best)]
    return found


@pytest.mark.parametrize("top", [-1, 25])
@pytest.mark.parametrize("keep", [-1, 3, 30])
@pytest.mark.parametrize("eta", [1.0, 0.9])
def test_multiclass_nms_keeps_what_the_rule_keeps(variable, top, keep, eta):
    # so large that few boxes stay: the search has to go on beyond the best ones
    boxes = crowd(1, 2, 120, 12.0).astype("float32")
    scores = np.random.default_rng(2).uniform(0, 1, (2, 4, 120)).astype("float32")
    rows = L.multiclass_nms(variable(boxes), variable(scores), 0.1, top, keep, 0.7, True, eta)
    expected = [
        row
        for image in range(2)
        for row in best_by_hand(boxes[image], scores[image], 0.1, top, keep, 0.7, eta)
    ]
    np.testing.assert_allclose(rows.numpy(), np.array(expected), rtol=1e-6)


def test_at_most_so_many_boxes_stay():
    boxes = torch.tensor([[[0.0, 0, 1, 1], [2, 0, 3, 1], [2, 0, 3, 1], [4, 0, 5, 1]]])
    kept = keep_best(boxes, torch.ones(1, 4, dtype=torch.bool), 0.5, 1.0, 0.0, most=2)
    assert kept.tolist() == [[True, True, False, False]]


def test_results_have_no_gradient(variable):
    boxes, scores = variable(crowd(1, 1, 4, 2.0)), variable(np.full((1, 2, 4), 0.5))
    assert L.multiclass_nms(boxes, scores, 0.1, -1, -1).stop_gradient
    assert L.matrix_nms(boxes, scores, 0.1, 0.1, -1, -1).stop_gradient


def test_inputs_are_not_changed(variable):
    boxes, scores = variable(crowd(3, 1, 9, 9.0)), variable(np.full((1, 1, 9), 0.5))
    before = boxes.numpy(), scores.numpy()
    L.locality_aware_nms(boxes, scores, 0.1, -1, -1, 0.1)
    np.testing.assert_array_equal(boxes.numpy(), before[0])
    np.testing.assert_array_equal(scores.numpy(), before[1])


def test_merged_boxes_without_a_score_are_dropped(variable):
    boxes, scores = variable([[[0, 0, 2, 2], [0, 0, 2, 2]]]), variable([[[0, 0]]])
    assert L.locality_aware_nms(boxes, scores, 0.1, -1, -1).numpy().tolist() == [[-1]]


def test_matrix_nms_lowers_scores_by_its_formula(variable):
    # more pairs than are compared at once
    boxes = crowd(4, 1, 600, 3.0)[0]
    scores = np.random.default_rng(5).permutation(600) / 1000 + 0.2
    order = np.argsort(-scores)
    sorted_boxes = boxes[order]
    low = np.maximum(sorted_boxes[:, None, :2], sorted_boxes[:, :2])
    high = np.minimum(sorted_boxes[:, None, 2:], sorted_boxes[:, 2:])
    common = np.maximum(high - low, 0).prod(2)
    areas = (sorted_boxes[:, 2:] - sorted_boxes[:, :2]).prod(1)
    covered = np.tril(common / (areas[:, None] + areas - common), -1)
    better = np.tril(np.ones((600, 600), bool), -1)
    factors = np.where(better, (1 - covered) / (1 - covered.max(1)), 1.0).min(1).clip(max=1)
    expected = np.sort(scores[order] * factors)[::-1]
    expected = expected[expected > 0.1]
    made = variable(boxes[None], "float64"), variable(scores[None, None], "float64")
    rows = L.matrix_nms(*made, 0.1, 0.1, -1, -1, background_label=-1).numpy()
    assert 0 < len(rows) < 600
    np.testing.assert_allclose(rows[:, 1], expected, rtol=1e-6)


SQUARE = [[0, 0], [2, 0], [2, 2], [0, 2]]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (SQUARE, 1.0),
        ([[0, 2], [2, 2], [2, 0], [0, 0]], 1.0),
        ([[1, 0], [3, 0], [3, 2], [1, 2]], 2 / 6),
        ([[1, -1], [3, 1], [1, 3], [-1, 1]], 4 / 8),
        ([[0, 0], [2, 0], [0, 2], [0, 1]], 2 / 4),
        ([[0, 0], [2, 0], [1, 0.5], [0, 2]], 1.5 / 4),
        ([[5, 5], [6, 5], [6, 6], [5, 6]], 0.0),
        ([[0, 0], [1, 1], [2, 2], [1, 1]], 0.0),
    ],
)
def test_overlap_of_polygons(other, expected):
    first, second = np.array([SQUARE], float), np.array([other], float)
    np.testing.assert_allclose(polygon_overlap(first, second), [expected], atol=1e-12)
    np.testing.assert_allclose(polygon_overlap(second, first), [expected], atol=1e-12)


def test_overlap_of_rectangles_as_polygons_is_that_of_boxes():
    boxes = crowd(6, 2, 200, 6.0)
    corners = boxes[..., [0, 1, 2, 1, 2, 3, 0, 3]].reshape(2, 200, 4, 2)
    expected = [iou(one, other) for one, other in zip(*boxes, strict=True)]
    np.testing.assert_allclose(polygon_overlap(*corners), expected, atol=1e-12)
