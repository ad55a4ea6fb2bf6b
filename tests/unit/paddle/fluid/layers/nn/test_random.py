"""Random numbers by seed, and dropout by the recording mode."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle import fluid
from refluid.paddle.fluid import layers as L

SHAPES = [[3, 4], [2], [1, 1, 5]]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_seed_repeats_and_no_seed_does_not(shape):
    for function in (L.uniform_random, L.gaussian_random):
        assert (function(shape, seed=5).numpy() == function(shape, seed=5).numpy()).all()
        assert (function(shape).numpy() != function(shape).numpy()).any()


def test_the_programs_seed_is_for_dropout_only(variable):
    fluid.default_main_program().random_seed = 7
    x = variable(np.ones((50,)))
    assert (L.dropout(x, 0.5).numpy() == L.dropout(x, 0.5).numpy()).all()
    assert (L.uniform_random([50]).numpy() != L.uniform_random([50]).numpy()).any()


@pytest.mark.parametrize("is_test", [True, False])
def test_dropout_follows_the_recording_and_not_is_test(variable, is_test):
    x = variable(np.ones((1000,)))
    assert set(np.unique(L.dropout(x, 0.3, is_test).numpy())) == {0.0, 1.0}
    with fluid.dygraph.no_grad():
        np.testing.assert_allclose(L.dropout(x, 0.3, is_test).numpy(), 0.7, rtol=1e-6)


def test_dropout_can_scale_while_training(variable):
    x = variable(np.ones((1000,)))
    out = L.dropout(x, 0.5, dropout_implementation="upscale_in_train").numpy()
    assert set(np.unique(out)) == {0.0, 2.0}
    with fluid.dygraph.no_grad():
        out = L.dropout(x, 0.5, dropout_implementation="upscale_in_train")
    np.testing.assert_array_equal(out.numpy(), 1.0)


def test_randint_and_randperm_stay_within_their_bounds():
    drawn = L.randint(3, 6, [200]).numpy()
    assert (drawn.min(), drawn.max(), drawn.dtype) == (3, 5, np.int64)
    assert L.randint(4).shape == [1]
    assert sorted(L.randperm(9).numpy()) == list(range(9))
    with pytest.raises(ValueError, match="`low` must be below `high`"):
        L.randint(3, 3)


def test_sampling_id_follows_the_probabilities(variable):
    certain = variable([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert L.sampling_id(certain).numpy().tolist() == [1, 2]


def test_random_crop_takes_a_piece_of_each_sample(variable):
    x = variable(np.arange(2 * 3 * 5 * 5).reshape(2, 3, 5, 5))
    piece = L.random_crop(x, [3, 2, 2]).numpy()
    assert piece.shape == (2, 3, 2, 2)
    np.testing.assert_array_equal(piece[..., 1] - piece[..., 0], 1.0)
    np.testing.assert_array_equal(piece[..., 1, :] - piece[..., 0, :], 5.0)


def test_random_crop_hands_no_gradient_back(variable):
    x = variable(np.ones((2, 4, 5)))
    piece = L.random_crop(x, [2, 3], seed=3)
    assert not piece.stop_gradient
    L.reduce_sum(piece).backward()
    assert x.gradient() is None
