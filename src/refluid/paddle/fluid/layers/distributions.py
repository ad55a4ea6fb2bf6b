"""Probability distributions.

May import: numpy, core_avx, layers.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from torch import Tensor

from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layers.control_flow import less_than
from refluid.paddle.fluid.layers.nn.activation import log
from refluid.paddle.fluid.layers.nn.elementwise import elementwise_pow
from refluid.paddle.fluid.layers.nn.layout import reshape
from refluid.paddle.fluid.layers.nn.product import matmul
from refluid.paddle.fluid.layers.nn.random import gaussian_random, uniform_random
from refluid.paddle.fluid.layers.nn.reduction import reduce_max, reduce_prod, reduce_sum
from refluid.paddle.fluid.layers.ops import exp
from refluid.paddle.fluid.layers.tensor import assign, cast, diag, ones, zeros

__all__ = ["Categorical", "MultivariateNormalDiag", "Normal", "Uniform"]


class Distribution:
    """Base of all distributions."""

    def _parameters(self, **given: Any) -> list[VarBase]:
        """Return the parameters as variables of one shape, from floats, lists or arrays.

        Raises:
            TypeError: one is of another type.
            ValueError: some are Variables and some are not.
        """
        name = type(self).__name__
        for key, value in given.items():
            if not isinstance(value, (float, list, np.ndarray, VarBase)):
                raise TypeError(
                    f"{name}: `{key}` must be a float, a list, an array or a Variable, but "
                    f"received {describe(value)}."
                )
        variables = [isinstance(value, VarBase) for value in given.values()]
        if all(variables):
            return list(given.values())
        if any(variables):
            raise ValueError(
                f"{name}: {' and '.join(f'`{key}`' for key in given)} must all be Variables, or "
                "none of them."
            )
        if any(isinstance(v, np.ndarray) and v.dtype != np.float32 for v in given.values()):
            warnings.warn(f"{name}: the parameters are converted to float32.", stacklevel=4)
        arrays = [np.atleast_1d(np.asarray(v, np.float32)) for v in given.values()]
        return [assign(np.ascontiguousarray(array)) for array in np.broadcast_arrays(*arrays)]

    def sample(self) -> VarBase:
        """Draw from the distribution."""
        raise NotImplementedError(f"{type(self).__name__} has no sample().")

    def entropy(self) -> VarBase:
        """Return the entropy."""
        raise NotImplementedError(f"{type(self).__name__} has no entropy().")

    def kl_divergence(self, other: Any) -> VarBase:
        """Return how far another distribution of the class is from this one."""
        raise NotImplementedError(f"{type(self).__name__} has no kl_divergence().")

    def log_prob(self, value: VarBase) -> VarBase:
        """Return the logarithm of the density at `value`."""
        raise NotImplementedError(f"{type(self).__name__} has no log_prob().")

    def _check_other(self, other: Any) -> None:
        if not isinstance(other, type(self)):
            raise TypeError(
                f"kl_divergence: `other` must be a {type(self).__name__}, but received "
                f"{describe(other)}."
            )


def _scaled(noise: Tensor, scale: Tensor, shift: Tensor, shape: list[int]) -> Tensor:
    """Return noise of `shape` + the parameters' shape, scaled and shifted."""
    return noise * (zeros(shape, noise.dtype) + scale) + shift


class Uniform(Distribution):
    """All numbers in [low, high) are equally likely.

    Differs from Paddle: samples lie in [low, high) whatever the parameters were given as; those
    of Paddle reach as far below `low` if they were given as numbers.

    Args:
        low: a float, list, array or Variable.
        high: likewise.
    """

    def __init__(self, low: Any, high: Any) -> None:
        self.all_arg_is_float = isinstance(low, float) and isinstance(high, float)
        self.low, self.high = self._parameters(low=low, high=high)

    def sample(self, shape: list[int], seed: int = 0) -> VarBase:  # type: ignore[override]
        """Draw a variable of `shape` for each parameter; a `seed` of 0 means new numbers."""
        full = [*shape, *(self.low + self.high).shape]
        noise = uniform_random(full, min=0.0, max=1.0, seed=seed)
        drawn: Any = _scaled(noise, self.high - self.low, self.low, full)
        return reshape(drawn, shape) if self.all_arg_is_float else drawn

    def log_prob(self, value: VarBase) -> VarBase:
        """Return the logarithm of the density at `value`: -inf outside."""
        above = cast(less_than(self.low, value), value.dtype)
        below = cast(less_than(value, self.high), value.dtype)
        return log(above * below) - log(self.high - self.low)

    def entropy(self) -> VarBase:
        """Return log(high - low)."""
        return log(self.high - self.low)


class Normal(Distribution):
    """The normal distribution. Same as Paddle 1.8.

    Args:
        loc: its mean; a float, list, array or Variable.
        scale: its standard deviation, likewise.
    """

    def __init__(self, loc: Any, scale: Any) -> None:
        self.all_arg_is_float = isinstance(loc, float) and isinstance(scale, float)
        self.loc, self.scale = self._parameters(loc=loc, scale=scale)

    def sample(self, shape: list[int], seed: int = 0) -> VarBase:  # type: ignore[override]
        """Draw a variable of `shape` for each parameter; a `seed` of 0 means new numbers."""
        full = [*shape, *(self.loc + self.scale).shape]
        drawn: Any = _scaled(gaussian_random(full, seed=seed), self.scale, self.loc, full)
        return reshape(drawn, shape) if self.all_arg_is_float else drawn

    def entropy(self) -> VarBase:
        """Return 1/2 + log(2 pi) / 2 + log(scale)."""
        spread = zeros((self.loc + self.scale).shape, self.loc.dtype) + self.scale
        return log(spread) + (0.5 + 0.5 * math.log(2 * math.pi))

    def log_prob(self, value: VarBase) -> VarBase:
        """Return the logarithm of the density at `value`."""
        distance = value - self.loc
        exponent = distance * distance / (2.0 * self.scale * self.scale)
        return -1.0 * exponent - log(self.scale) - math.log(math.sqrt(2.0 * math.pi))

    def kl_divergence(self, other: Normal) -> VarBase:
        """Return how far another normal distribution is from this one."""
        self._check_other(other)
        ratio = self.scale / other.scale
        distance = (self.loc - other.loc) / other.scale
        ratio = ratio * ratio
        return 0.5 * (ratio + distance * distance - 1.0 - log(ratio))


class Categorical(Distribution):
    """A choice among classes. Same as Paddle 1.8.

    Args:
        logits: [..., number of classes], logarithms of weights; a list, array or Variable.
    """

    def __init__(self, logits: Any) -> None:
        (self.logits,) = self._parameters(logits=logits)

    def _logarithms(self) -> tuple[VarBase, VarBase]:
        """Return probabilities and their logarithms."""
        shifted = self.logits - reduce_max(self.logits, dim=-1, keep_dim=True)
        weights = exp(shifted)
        total = reduce_sum(weights, dim=-1, keep_dim=True)
        return weights / total, shifted - log(total)

    def kl_divergence(self, other: Categorical) -> VarBase:
        """Return how far another choice is from this one, [..., 1]."""
        self._check_other(other)
        probabilities, logarithms = self._logarithms()
        others = other._logarithms()[1]
        return reduce_sum(probabilities * (logarithms - others), dim=-1, keep_dim=True)

    def entropy(self) -> VarBase:
        """Return the entropy, [..., 1]."""
        probabilities, logarithms = self._logarithms()
        return -1.0 * reduce_sum(probabilities * logarithms, dim=-1, keep_dim=True)


class MultivariateNormalDiag(Distribution):
    """A normal distribution in several dimensions that do not depend on each other.

    Same as Paddle 1.8.

    Args:
        loc: its mean [N]; a list, array or Variable.
        scale: its covariance matrix [N, N], zeros but for the diagonal; likewise.
    """

    def __init__(self, loc: Any, scale: Any) -> None:
        if isinstance(loc, VarBase) and isinstance(scale, VarBase):
            self.loc, self.scale = loc, scale
        else:
            self.loc, self.scale = (self._parameters(value=v)[0] for v in (loc, scale))

    def _diagonal(self) -> VarBase:
        return diag(ones([self.scale.shape[0]], self.loc.dtype))

    def _det(self) -> VarBase:
        everywhere = ones(self.scale.shape, self.loc.dtype)
        return reduce_prod(self.scale + everywhere - self._diagonal())

    def _inv(self) -> VarBase:
        everywhere = ones(self.scale.shape, self.loc.dtype)
        return elementwise_pow(self.scale, everywhere - 2 * self._diagonal())

    def entropy(self) -> VarBase:
        """Return the entropy, [1]."""
        constant = self.scale.shape[0] * (1.0 + math.log(2 * math.pi))
        return 0.5 * (log(self._det()) + constant)

    def kl_divergence(self, other: MultivariateNormalDiag) -> VarBase:
        """Return how far another distribution of the class is from this one, [1]."""
        self._check_other(other)
        inverse, distance = other._inv(), other.loc - self.loc
        trace = reduce_sum(inverse * self.scale)
        squared = matmul(matmul(distance, inverse), distance)
        return 0.5 * (trace + squared - self.scale.shape[0] + log(other._det()) - log(self._det()))
