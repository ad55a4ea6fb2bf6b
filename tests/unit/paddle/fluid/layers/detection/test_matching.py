"""Matching, against the rule written out pair by pair."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L


def matched_by_hand(likeness):
    """Take the greatest element, then the greatest outside of its row and column, and so on."""
    rows = np.full(likeness.shape[1], -1)
    # of equals the first column, then the first row
    order = np.argsort(-likeness.T, axis=None, kind="stable")
    for place in order:
        column, row = divmod(int(place), likeness.shape[0])
        if likeness[row, column] >= 1e-6 and rows[column] < 0 and row not in rows:
            rows[column] = row
    return rows


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (12, 30), (30, 12)])
@pytest.mark.parametrize("steps", [3, 1000])
def test_the_most_alike_are_matched_first(variable, shape, steps):
    # few steps make many of them equal
    values = np.random.default_rng(steps).uniform(-0.3, 1, shape)
    values = (np.round(values * steps) / steps).astype("float32")
    rows, likeness = L.bipartite_match(variable(values))
    expected = matched_by_hand(values)
    assert rows.numpy()[0].tolist() == expected.tolist()
    own = np.where(expected < 0, 0, values[expected, np.arange(shape[1])])
    np.testing.assert_array_equal(likeness.numpy()[0], own)


def test_the_best_of_a_long_chain_are_found(variable):
    # each pair becomes the best one only after the pair before it was taken
    values = np.zeros((6, 6))
    for k in range(6):
        values[k, k] = 1 - 0.1 * k
        values[k, (k + 1) % 6] = 0.95 - 0.1 * k if k < 5 else 0
    assert L.bipartite_match(variable(values))[0].numpy()[0].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_nothing_to_match(variable, shape):
    rows, likeness = L.bipartite_match(variable(np.zeros(shape)))
    assert rows.numpy().tolist() == [[-1] * shape[1]]
    assert likeness.numpy().tolist() == [[0] * shape[1]]
