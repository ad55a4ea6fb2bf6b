"""Shapes of complex variables. May import: complex.helper, fluid."""

from __future__ import annotations

from collections.abc import Sequence

from refluid.paddle.complex.helper import complex_variable_exists
from refluid.paddle.fluid import layers
from refluid.paddle.fluid.core_avx.complex import ComplexVariable

__all__ = ["reshape", "transpose"]


def reshape(
    x: ComplexVariable, shape: Sequence[int], inplace: bool = False, name: str | None = None
) -> ComplexVariable:
    """Give the elements another shape, as `fluid.layers.reshape` does.

    Differs from Paddle: after `inplace`, `x.shape` is the new shape; in Paddle it stays the old.

    Args:
        x: any shape.
        shape: sizes; one may be -1 (the rest), and 0 means the size of x at that place.
        inplace: put the new parts into `x` and return it.
        name: accepted for compatibility.

    Raises:
        ValueError: `x` is no ComplexVariable.
    """
    complex_variable_exists([x], "reshape")
    real, imag = layers.reshape(x.real, shape), layers.reshape(x.imag, shape)
    if not inplace:
        return ComplexVariable(real, imag)
    x.real, x.imag = real, imag
    return x


def transpose(x: ComplexVariable, perm: Sequence[int], name: str | None = None) -> ComplexVariable:
    """Reorder the dimensions, as `fluid.layers.transpose` does. Same as Paddle 1.8.

    Raises:
        ValueError: `x` is no ComplexVariable.
    """
    complex_variable_exists([x], "transpose")
    return ComplexVariable(layers.transpose(x.real, perm), layers.transpose(x.imag, perm))
