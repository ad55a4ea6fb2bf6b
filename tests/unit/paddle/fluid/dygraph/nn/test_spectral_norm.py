"""The vectors that the layer of spectral normalization keeps."""

from __future__ import annotations

import numpy as np

from refluid.paddle.fluid.dygraph.nn import SpectralNorm


def test_singular_vectors_are_parameters_without_gradient(numbers, variable):
    layer = SpectralNorm([3, 4, 2], dim=1, power_iters=2)
    assert [(n, p.name, p.trainable, p.stop_gradient) for n, p in layer.named_parameters()] == [
        ("weight_u", "spectral_norm_0.w_0", True, True),
        ("weight_v", "spectral_norm_0.w_1", True, True),
    ]
    assert (layer.weight_u.shape, layer.weight_v.shape) == ([4], [6])
    before = layer.weight_u.numpy()
    assert layer(variable(numbers(1, 3, 4, 2))).shape == [3, 4, 2]
    np.testing.assert_array_equal(layer.weight_u.numpy(), before)
