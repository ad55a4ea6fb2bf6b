"""Products of complex matrices; test_math.py has their values and gradients."""

from __future__ import annotations

import numpy as np

from refluid.paddle import complex as cpx
from refluid.paddle.fluid import dygraph


def test_factors_can_be_transposed_and_scaled() -> None:
    x = np.array([[1 + 1j, 2 - 1j], [3 + 1j, 4 + 0j]])
    with dygraph.guard():
        variable = dygraph.to_variable(x)
        left = cpx.matmul(variable, variable, transpose_x=True, alpha=2.0)
        right = cpx.matmul(variable, variable, transpose_y=True)
        vector = cpx.matmul(variable, dygraph.to_variable(np.array([1.0 + 1j, 1j])))
    np.testing.assert_allclose(left.numpy(), 2 * x.T @ x)
    np.testing.assert_allclose(right.numpy(), x @ x.T)
    np.testing.assert_allclose(vector.numpy(), x @ np.array([1.0 + 1j, 1j]))
