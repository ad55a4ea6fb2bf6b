"""Distributions draw within their bounds."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import layers as L


@pytest.mark.parametrize("bounds", [(2.0, 5.0), (np.float32([2, 2]), np.float32([5, 5]))])
def test_uniform_samples_lie_between_low_and_high(bounds):
    drawn = L.Uniform(*bounds).sample([500]).numpy()
    assert drawn.min() >= 2.0
    assert drawn.max() < 5.0


def test_float_parameters_give_samples_of_the_shape_alone(variable):
    assert L.Normal(0.0, 1.0).sample([3]).shape == [3]
    assert L.Normal(variable([0.0, 1.0]), variable([1.0, 1.0])).sample([3]).shape == [3, 2]


def test_divergence_of_normal_vectors_is_what_paddle_documents():
    one = L.MultivariateNormalDiag(np.float32([0.3, 0.5]), np.float32([[0.4, 0], [0, 0.5]]))
    two = L.MultivariateNormalDiag(np.float32([0.2, 0.4]), np.float32([[0.3, 0], [0, 0.4]]))
    np.testing.assert_allclose(one.entropy().numpy(), [2.033158], rtol=1e-5)
    np.testing.assert_allclose(one.kl_divergence(two).numpy(), [0.06542051], rtol=1e-4)


def test_divergence_from_another_class_is_refused():
    with pytest.raises(TypeError, match="`other` must be a Categorical"):
        L.Categorical([0.1, 0.2]).kl_divergence(L.Normal(0.0, 1.0))
