"""Initial values of parameters.

An initializer is called with a parameter and overwrites its values in place. With a seed, its own
or the main program's, the numbers are those that Paddle draws on a CPU (core_avx/random.py).
Same as Paddle 1.8. Sources: Glorot and Bengio 2010 (Xavier), He et al. 2015 (MSRA).
May import: torch, numpy, core_avx, framework.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from refluid.paddle.fluid.core_avx import random
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.framework import default_main_program

__all__ = [
    "MSRA",
    "Bilinear",
    "BilinearInitializer",
    "Constant",
    "ConstantInitializer",
    "Initializer",
    "MSRAInitializer",
    "Normal",
    "NormalInitializer",
    "NumpyArrayInitializer",
    "TruncatedNormal",
    "TruncatedNormalInitializer",
    "Uniform",
    "UniformInitializer",
    "Xavier",
    "XavierInitializer",
]


class Initializer:
    """Base of all initializers. Call one with a parameter to overwrite its values."""

    def __call__(self, param: VarBase, block: object = None) -> None:
        """Overwrite the values of `param`."""
        raise NotImplementedError

    def _compute_fans(self, var: VarBase) -> tuple[int, int]:
        """Return (fan in, fan out); a convolution's second dimension is its fan in."""
        shape = var.shape
        if len(shape) < 2:
            return (shape[0], shape[0]) if shape else (1, 1)
        if len(shape) == 2:
            return shape[0], shape[1]
        window = math.prod(shape[2:])
        return shape[1] * window, shape[0] * window


def _fill(var: VarBase, values: torch.Tensor) -> None:
    # .data: what was computed from the old values stays valid, as in Paddle
    var.data.copy_(values)


def _torch_dtype(var: VarBase) -> torch.dtype:
    return torch.Tensor.dtype.__get__(var)  # type: ignore[attr-defined]


def _seed(own: int) -> int:
    return own or default_main_program().random_seed


class ConstantInitializer(Initializer):
    """Set all values to one number.

    Args:
        value: the number.
        force_cpu: accepted for compatibility.
    """

    def __init__(self, value: float = 0.0, force_cpu: bool = False) -> None:
        assert value is not None, "`value` must be a number."
        self._value = value

    def __call__(self, var: VarBase, block: object = None) -> None:
        """Overwrite the values of `var`."""
        var.data.fill_(self._value)


class UniformInitializer(Initializer):
    """Draw from [low, high).

    Args:
        low: the smallest value.
        high: the bound that is not reached.
        seed: 0 for the program's seed.
        diag_num: how many elements of a matrix to set to `diag_val` afterwards.
        diag_step: distance between them within a row of the flattened matrix.
        diag_val: their value.
    """

    def __init__(
        self,
        low: float = -1.0,
        high: float = 1.0,
        seed: int = 0,
        diag_num: int = 0,
        diag_step: int = 0,
        diag_val: float = 1.0,
    ) -> None:
        assert low is not None and high is not None and high >= low, (
            f"`low` must not be above `high`, but received {low} and {high}."
        )
        assert seed is not None, "`seed` must be an int."
        self._low, self._high, self._seed = low, high, seed
        self._diag = (diag_num, diag_step, diag_val)

    def __call__(self, var: VarBase, block: object = None) -> None:
        """Overwrite the values of `var`."""
        values = random.uniform(
            var.shape, self._low, self._high, _seed(self._seed), _torch_dtype(var)
        )
        number, step, value = self._diag
        for k in range(number):
            values.view(-1)[k * step + k] = value
        _fill(var, values)


class NormalInitializer(Initializer):
    """Draw from the normal distribution.

    Args:
        loc: its mean.
        scale: its standard deviation.
        seed: 0 for the program's seed.
    """

    def __init__(self, loc: float = 0.0, scale: float = 1.0, seed: int = 0) -> None:
        assert loc is not None and scale is not None and seed is not None
        self._mean, self._std_dev, self._seed = loc, scale, seed

    def __call__(self, var: VarBase, block: object = None) -> None:
        """Overwrite the values of `var`."""
        seed = _seed(self._seed)
        _fill(var, random.normal(var.shape, self._mean, self._std_dev, seed, _torch_dtype(var)))


class TruncatedNormalInitializer(Initializer):
    """Draw from the normal distribution, cut at two standard deviations; arguments as Normal."""

    def __init__(self, loc: float = 0.0, scale: float = 1.0, seed: int = 0) -> None:
        assert loc is not None and scale is not None and seed is not None
        self._mean, self._std_dev, self._seed = loc, scale, seed

    def __call__(self, var: VarBase, block: object = None) -> None:
        """Overwrite the values of `var`."""
        values = random.truncated_normal(
            var.shape, self._mean, self._std_dev, _seed(self._seed), _torch_dtype(var)
        )
        _fill(var, values)


class XavierInitializer(Initializer):
    """Keep the variance of signals equal in both directions: limit sqrt(6 / (fan in + fan out)).

    Args:
        uniform: draw uniformly; otherwise normally with deviation sqrt(2 / (fan in + fan out)).
        fan_in: in place of the one that follows from the shape.
        fan_out: likewise.
        seed: 0 for the program's seed.
    """

    def __init__(
        self,
        uniform: bool = True,
        fan_in: float | None = None,
        fan_out: float | None = None,
        seed: int = 0,
    ) -> None:
        assert uniform is not None and seed is not None
        self._uniform, self._fan_in, self._fan_out, self._seed = uniform, fan_in, fan_out, seed

    def __call__(self, var: VarBase, block: object = None) -> None:
        """Overwrite the values of `var`."""
        fan_in, fan_out = self._compute_fans(var)
        fans = (self._fan_in or fan_in) + (self._fan_out or fan_out)
        if self._uniform:
            limit = math.sqrt(6.0 / fans)
            UniformInitializer(-limit, limit, self._seed)(var)
        else:
            NormalInitializer(0.0, math.sqrt(2.0 / fans), self._seed)(var)


class MSRAInitializer(Initializer):
    """Keep the variance of signals through ReLU: uniform limit sqrt(6 / fan in).

    Args:
        uniform: draw uniformly; otherwise normally with deviation sqrt(2 / fan in).
        fan_in: in place of the one that follows from the shape.
        seed: 0 for the program's seed.
    """

    def __init__(self, uniform: bool = True, fan_in: float | None = None, seed: int = 0) -> None:
        assert uniform is not None and seed is not None
        self._uniform, self._fan_in, self._seed = uniform, fan_in, seed

    def __call__(self, var: VarBase, block: object = None) -> None:
        """Overwrite the values of `var`."""
        fan_in = self._fan_in or self._compute_fans(var)[0]
        if self._uniform:
            limit = math.sqrt(6.0 / fan_in)
            UniformInitializer(-limit, limit, self._seed)(var)
        else:
            NormalInitializer(0.0, math.sqrt(2.0 / fan_in), self._seed)(var)


class BilinearInitializer(Initializer):
    """Make a transposed convolution's weight [C_out, C_in, k, k] interpolate bilinearly."""

    def __call__(self, var: VarBase, block: object = None) -> None:
        """Overwrite the values of `var`.

        Raises:
            ValueError: the weight has not four dimensions, or its window is not square.
        """
        shape = var.shape
        if len(shape) != 4 or shape[2] != shape[3]:
            raise ValueError(
                f"Bilinear needs a weight of shape [C_out, C_in, k, k], but `{var.name}` has "
                f"shape {shape}."
            )
        size = shape[3]
        factor = math.ceil(size / 2.0)
        centre = (2 * factor - 1 - factor % 2) / (2.0 * factor)
        number = np.arange(var.numel())
        # Paddle forgets to round the row down, so that it grows within a row too
        column, row = number % size, (number / size) % size
        values = (1 - np.abs(column / factor - centre)) * (1 - np.abs(row / factor - centre))
        _fill(var, torch.from_numpy(values).reshape(shape))


class NumpyArrayInitializer(Initializer):
    """Start from an array.

    Args:
        value: the array; it must have as many elements as the parameter.
    """

    def __init__(self, value: np.ndarray) -> None:
        assert isinstance(value, np.ndarray), f"`value` must be an array, but received {value!r}."
        self._value = value

    def __call__(self, var: VarBase, block: object = None) -> None:
        """Overwrite the values of `var`.

        Raises:
            ValueError: the array has another number of elements.
        """
        if self._value.size != var.numel():
            raise ValueError(
                f"`{var.name}` has shape {var.shape}, but the array to start from has shape "
                f"{list(self._value.shape)}."
            )
        _fill(var, torch.from_numpy(np.array(self._value, order="C")).reshape(var.shape))


Bilinear = BilinearInitializer
Constant = ConstantInitializer
MSRA = MSRAInitializer
Normal = NormalInitializer
TruncatedNormal = TruncatedNormalInitializer
Uniform = UniformInitializer
Xavier = XavierInitializer
