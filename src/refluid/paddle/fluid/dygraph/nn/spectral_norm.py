"""Spectral normalization of a weight. May import: core_avx, layers, initializer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from refluid.paddle.fluid.core_avx.ops import norm
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn.parameter import Registered, needed_weight
from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.initializer import Normal

__all__ = ["SpectralNorm"]


class SpectralNorm(Layer):
    """Divide a weight by its largest singular value.

    Same as Paddle 1.8: the power iteration starts anew from `weight_u` and `weight_v` each time,
    which stay as they are.

    Args:
        weight_shape: shape of the weight.
        dim: the dimension that its rows run along.
        power_iters: iterations at each call.
        eps: added to lengths before they divide.
        dtype: element type.
    """

    weight_u: Any = Registered()
    weight_v: Any = Registered()

    def __init__(
        self,
        weight_shape: Sequence[int],
        dim: int = 0,
        power_iters: int = 1,
        eps: float = 1e-12,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        self._power_iters = power_iters
        self._eps = eps
        self._dim = dim
        self._dtype = dtype
        self._weight_shape = list(weight_shape)
        rows = self._weight_shape[dim]
        self.weight_u = self._vector(rows)
        self.weight_v = self._vector(math.prod(self._weight_shape) // rows)

    def _vector(self, size: int) -> ParamBase:
        vector = needed_weight(self, [size], None, self._dtype, Normal(0.0, 1.0))
        vector.stop_gradient = True
        return vector

    def forward(self, weight: VarBase) -> VarBase:
        """Return `weight`, of shape `weight_shape`, divided."""
        return norm.spectral_norm(
            weight, self.weight_u, self.weight_v, self._dim, self._power_iters, self._eps
        )
