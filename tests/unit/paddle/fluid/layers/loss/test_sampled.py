"""Losses that draw classes at random."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L


def test_sampling_all_classes_is_nearly_softmax(variable):
    logits = variable(np.random.RandomState(0).normal(size=(3, 6)))
    label = variable([[0], [5], [2]], "int64")
    samples = np.concatenate([label.numpy(), np.tile(np.arange(6), (3, 1))], 1)
    out = L.sampled_softmax_with_cross_entropy(
        logits, label, 6, use_customized_samples=True,
        customized_samples=variable(samples, "int64"),
        customized_probabilities=variable(np.ones(samples.shape)),
    )  # fmt: skip
    full = L.softmax_with_cross_entropy(logits, label)
    np.testing.assert_allclose(out.numpy(), full.numpy(), rtol=1e-5)


def test_a_seed_repeats_the_sampled_classes(variable):
    logits = variable(np.random.RandomState(0).normal(size=(3, 50)))
    label = variable([[0], [5], [2]], "int64")
    one, two = (
        L.sampled_softmax_with_cross_entropy(logits, label, 5, seed=3).numpy() for _ in range(2)
    )
    assert (one == two).all()


def test_nce_learns_the_true_class_from_its_gradient(variable):
    x = variable(np.ones((4, 3)))
    loss = L.mean(L.nce(x, variable([[1]] * 4, "int64"), 8, num_neg_samples=4, seed=1))
    loss.backward()
    assert loss.shape == [1]
    assert np.isfinite(x.gradient()).all()
    with pytest.raises(ValueError, match="`sampler` must be one of"):
        L.nce(x, variable([[1]] * 4, "int64"), 8, sampler="some")
