"""Arithmetic and sums of complex variables, computed with their parts.

Gradients are those of the parts. A part that would be zero everywhere is never computed.
May import: complex.helper, fluid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from refluid.paddle.complex.helper import complex_variable_exists, multiply, parts
from refluid.paddle.fluid import layers
from refluid.paddle.fluid.core_avx import VarBase
from refluid.paddle.fluid.core_avx.complex import ComplexVariable

__all__ = [
    "elementwise_add",
    "elementwise_div",
    "elementwise_mul",
    "elementwise_sub",
    "kron",
    "sum",
    "trace",
]

_Number = ComplexVariable | VarBase
_Combine = Callable[..., VarBase]


def elementwise_add(
    x: _Number, y: _Number, axis: int = -1, name: str | None = None
) -> ComplexVariable:
    """Return x + y. Same as Paddle 1.8.

    Args:
        x: a ComplexVariable, or a Variable where y is one.
        y: broadcast against x.
        axis: where y's dimensions stand among those of x, as in `fluid.layers.elementwise_add`.
        name: accepted for compatibility.

    Raises:
        ValueError: neither is a ComplexVariable.
        TypeError: one is no variable.
        EnforceNotMet: element types or shapes do not fit.
    """
    return _combine("elementwise_add", layers.elementwise_add, x, y, axis)


def elementwise_sub(
    x: _Number, y: _Number, axis: int = -1, name: str | None = None
) -> ComplexVariable:
    """Return x - y; arguments and errors as for `elementwise_add`. Same as Paddle 1.8."""
    return _combine("elementwise_sub", layers.elementwise_sub, x, y, axis)


def _combine(op_type: str, combine: _Combine, x: _Number, y: _Number, axis: int) -> ComplexVariable:
    """Add or subtract part by part."""
    complex_variable_exists([x, y], op_type)
    (a, b), (c, d) = parts(op_type, "x", x), parts(op_type, "y", y)
    # zeros of the result's shape, where Paddle's own have a shape that may not fit
    b = layers.zeros_like(a) if b is None else b
    d = layers.zeros_like(c) if d is None else d
    return ComplexVariable(combine(a, c, axis=axis), combine(b, d, axis=axis))


def elementwise_mul(
    x: _Number, y: _Number, axis: int = -1, name: str | None = None
) -> ComplexVariable:
    """Return x * y; arguments and errors as for `elementwise_add`. Same as Paddle 1.8."""
    complex_variable_exists([x, y], "elementwise_mul")

    def product(a: VarBase, c: VarBase) -> VarBase:
        return layers.elementwise_mul(a, c, axis=axis)

    return multiply("elementwise_mul", product, x, y)


def elementwise_div(
    x: _Number, y: _Number, axis: int = -1, name: str | None = None
) -> ComplexVariable:
    """Return x / y; arguments and errors as for `elementwise_add`. Same as Paddle 1.8."""
    complex_variable_exists([x, y], "elementwise_div")
    c, d = parts("elementwise_div", "y", y)
    square = layers.pow(c, 2.0)
    inverse = 1 / (square if d is None else square + layers.pow(d, 2.0))
    conjugate = c if d is None else ComplexVariable(c, -d)
    product = elementwise_mul(x, conjugate, axis=axis)
    return elementwise_mul(product, inverse, axis=axis)


def kron(x: _Number, y: _Number, name: str | None = None) -> ComplexVariable:
    """Return the Kronecker product: each element of x times the whole of y. Same as Paddle 1.8.

    Raises:
        ValueError: neither is a ComplexVariable.
        TypeError: one is no variable.
    """
    complex_variable_exists([x, y], "kron")
    return multiply("kron", layers.kron, x, y)


def trace(
    input: ComplexVariable, offset: int = 0, dim1: int = 0, dim2: int = 1, name: str | None = None
) -> ComplexVariable:
    """Add up the diagonals of matrices, as `fluid.layers.trace` does. Same as Paddle 1.8.

    Raises:
        ValueError: `input` is no ComplexVariable.
    """
    complex_variable_exists([input], "trace")
    return ComplexVariable(
        layers.trace(input.real, offset, dim1, dim2), layers.trace(input.imag, offset, dim1, dim2)
    )


def sum(
    input: ComplexVariable,
    dim: int | Sequence[int] | None = None,
    keep_dim: bool = False,
    name: str | None = None,
) -> ComplexVariable:
    """Add up elements over dimensions, as `fluid.layers.reduce_sum` does. Same as Paddle 1.8.

    Raises:
        ValueError: `input` is no ComplexVariable.
    """
    complex_variable_exists([input], "sum")
    return ComplexVariable(
        layers.reduce_sum(input.real, dim, keep_dim), layers.reduce_sum(input.imag, dim, keep_dim)
    )
