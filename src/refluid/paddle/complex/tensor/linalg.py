"""Products of complex matrices. May import: complex.helper, fluid."""

from __future__ import annotations

from refluid.paddle.complex.helper import complex_variable_exists, multiply
from refluid.paddle.fluid import layers
from refluid.paddle.fluid.core_avx import VarBase
from refluid.paddle.fluid.core_avx.complex import ComplexVariable

__all__ = ["matmul"]


def matmul(
    x: ComplexVariable | VarBase,
    y: ComplexVariable | VarBase,
    transpose_x: bool = False,
    transpose_y: bool = False,
    alpha: float = 1.0,
    name: str | None = None,
) -> ComplexVariable:
    """Multiply matrices, as `fluid.layers.matmul` does. Same as Paddle 1.8.

    Args:
        x: a ComplexVariable, or a Variable where y is one.
        y: the other factor.
        transpose_x: swap the last two dimensions of x.
        transpose_y: swap the last two dimensions of y.
        alpha: multiplies the result.
        name: accepted for compatibility.

    Raises:
        ValueError: neither is a ComplexVariable.
        TypeError: one is no variable.
    """
    complex_variable_exists([x, y], "matmul")

    def product(left: VarBase, right: VarBase) -> VarBase:
        return layers.matmul(left, right, transpose_x, transpose_y, alpha)

    return multiply("matmul", product, x, y)
