"""Products of rows and matrices."""

from __future__ import annotations

import numpy as np

from refluid.paddle.fluid import layers as L


def test_norms_near_zero_count_as_a_ten_thousandth_in_cos_sim(variable):
    """Rows of zeros, as of padded sentences, made the loss NaN; the numbers are Paddle 1.8.5's."""
    x = variable([[0, 0, 0], [1, 2, 3], [0, 0, 0], [1e-20, 0, 0], [1e-3, 0, 0]])
    y = variable([[1, 2, 3], [0, 0, 0], [0, 0, 0], [1, 2, 3], [1e-5, 0, 0]])
    cosine = L.cos_sim(x, y)
    expected = [0, 0, 0, 2.6726123e-17, 0.1]
    np.testing.assert_allclose(cosine.numpy().ravel(), expected, rtol=1e-6)
    cosine.backward()
    usual = [2672.6123, 5345.2246, 8017.8369]
    zeros = [0.0, 0.0, 0.0]
    wanted = [usual, zeros, zeros, usual, zeros]
    np.testing.assert_allclose(x.gradient(), wanted, rtol=1e-6, atol=1e-5)
    wanted = [zeros, usual, zeros, [2.4817114e-17, -3.8180171e-18, -5.7270259e-18], [9900, 0, 0]]
    np.testing.assert_allclose(y.gradient(), wanted, rtol=1e-6)
