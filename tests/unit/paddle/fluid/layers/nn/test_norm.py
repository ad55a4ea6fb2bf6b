"""What the normalizing functions do besides computing."""

from __future__ import annotations

import numpy as np

from refluid.paddle.fluid import layers as L


def test_inplace_abn_overwrites_its_input(variable):
    x = variable(np.arange(24).reshape(2, 3, 4), grad=False)
    out = L.inplace_abn(x, act="leaky_relu", act_alpha=0.1)
    np.testing.assert_array_equal(x.numpy(), out.numpy())


def test_inplace_abn_hands_gradients_on(variable):
    x = variable(np.arange(24).reshape(2, 3, 4))
    y = x * 2.0
    L.reduce_sum(L.inplace_abn(y) * variable(np.arange(24).reshape(2, 3, 4) ** 2)).backward()
    z = variable(np.arange(24).reshape(2, 3, 4))
    L.reduce_sum(L.batch_norm(z * 2.0) * variable(np.arange(24).reshape(2, 3, 4) ** 2)).backward()
    np.testing.assert_allclose(x.gradient(), z.gradient(), rtol=1e-5, atol=1e-6)


def test_spectral_norm_makes_the_largest_singular_value_one(variable):
    weight = variable(np.random.RandomState(0).normal(size=(3, 4)))
    out = L.spectral_norm(weight, power_iters=50).numpy()
    np.testing.assert_allclose(np.linalg.svd(out, compute_uv=False)[0], 1.0, rtol=1e-4)
