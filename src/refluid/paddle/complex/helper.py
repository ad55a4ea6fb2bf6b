"""Telling complex variables from real ones. May import: fluid.core_avx."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

from refluid.paddle.fluid.core_avx import VarBase
from refluid.paddle.fluid.core_avx.complex import ComplexVariable

__all__ = ["complex_variable_exists", "is_complex", "is_real", "multiply", "parts"]


def is_complex(x: object) -> TypeGuard[ComplexVariable]:
    """Return whether `x` is a ComplexVariable."""
    return isinstance(x, ComplexVariable)


def is_real(x: object) -> TypeGuard[VarBase]:
    """Return whether `x` is a Variable of real numbers."""
    return isinstance(x, VarBase)


def complex_variable_exists(inputs: Sequence[object], layer_name: str) -> None:
    """Check that at least one of the inputs of a function is a ComplexVariable.

    Raises:
        ValueError: none is.
    """
    if not any(is_complex(x) for x in inputs):
        received = ", ".join(type(x).__name__ for x in inputs)
        raise ValueError(
            f"paddle.complex.{layer_name} needs a ComplexVariable, but received {received}; use "
            "the function of that name in fluid.layers for real numbers, or make a ComplexVariable "
            "with fluid.dygraph.to_variable(complex_array)."
        )


def parts(
    layer_name: str, name: str, x: ComplexVariable | VarBase
) -> tuple[VarBase, VarBase | None]:
    """Return the real and imaginary part of `x`; a real variable has none of the second kind.

    Raises:
        TypeError: `x` is no variable.
    """
    if is_complex(x):
        return x.real, x.imag
    if is_real(x):
        return x, None
    raise TypeError(
        f"paddle.complex.{layer_name}: `{name}` must be a Variable or a ComplexVariable, but "
        f"received {type(x).__name__}."
    )


def multiply(
    layer_name: str,
    product: Callable[..., Any],
    x: ComplexVariable | VarBase,
    y: ComplexVariable | VarBase,
) -> ComplexVariable:
    """Return (a + bi)(c + di) by any product of parts; at least one of x and y is complex.

    Raises:
        TypeError: one is no variable.
    """
    (a, b), (c, d) = parts(layer_name, "x", x), parts(layer_name, "y", y)
    if b is not None and d is not None:
        return ComplexVariable(product(a, c) - product(b, d), product(b, c) + product(a, d))
    if d is not None:
        return ComplexVariable(product(a, c), product(a, d))
    assert b is not None
    return ComplexVariable(product(a, c), product(b, c))
