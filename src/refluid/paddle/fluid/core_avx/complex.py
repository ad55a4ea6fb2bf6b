"""`ComplexVariable`: complex numbers as two variables, which is all that Paddle 1.8 has of them.

There is no complex element type in Paddle 1.8 and there are no operators between complex variables;
`paddle.complex` computes with the parts.
May import: numpy, dtype, place, variable.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from refluid.paddle.fluid.core_avx.dtype import VarType
from refluid.paddle.fluid.core_avx.place import Place
from refluid.paddle.fluid.core_avx.variable import VarBase, from_numpy

__all__ = ["ComplexVariable", "from_complex"]


class ComplexVariable:
    """A variable of complex numbers, held as its real and its imaginary part.

    Same as Paddle 1.8. `fluid.dygraph.to_variable(array)` makes one of a complex array; gradients
    are those of `real` and `imag`.

    Args:
        real: any shape.
        imag: shape and element type of `real`.

    Raises:
        AssertionError: the parts are not variables, or differ in shape or element type.
    """

    __module__ = "paddle.fluid.framework"

    def __init__(self, real: VarBase, imag: VarBase) -> None:
        for name, part in (("real", real), ("imag", imag)):
            assert isinstance(part, VarBase), (
                f"`{name}` must be a Variable, but received {type(part).__name__}; "
                "fluid.dygraph.to_variable makes a ComplexVariable of a complex array."
            )
        assert real.shape == imag.shape, (
            f"`real` and `imag` must have one shape, but received {real.shape} and {imag.shape}."
        )
        assert real.dtype == imag.dtype, (
            f"`real` and `imag` must have one dtype, but received {real.dtype} and {imag.dtype}."
        )
        self.real = real
        self.imag = imag
        single = real.dtype in (VarType.FP16, VarType.FP32)
        self._dtype = "complex64" if single else "complex128"

    @property
    def dtype(self) -> str:
        """The element type: "complex64" or "complex128"."""
        return self._dtype

    @property
    def shape(self) -> list[int]:
        """The sizes as a list of ints."""
        return self.real.shape

    @property
    def name(self) -> dict[str, str]:
        """The names of the parts, under "real" and "imag"."""
        return {"real": self.real.name, "imag": self.imag.name}

    @name.setter
    def name(self, name: str | tuple[str, str] | list[str]) -> None:
        if isinstance(name, str):
            name = (f"{name}.real", f"{name}.imag")
        elif not (isinstance(name, (tuple, list)) and len(name) == 2):
            raise ValueError(
                "`name` must be a str, or a tuple or list of two for the parts, but received "
                f"{name!r}."
            )
        self.real.name, self.imag.name = name

    def numpy(self) -> np.ndarray:
        """Return a copy of the values as a complex array."""
        parts: tuple[Any, Any] = (np.asarray(self.real.numpy()), np.asarray(self.imag.numpy()))
        return parts[0] + 1j * parts[1]

    def __str__(self) -> str:
        return f"REAL: {self.real}IMAG: {self.imag}"

    __repr__ = __str__


def from_complex(
    array: np.ndarray, place: Place, *, zero_copy: bool = False, name: str
) -> ComplexVariable:
    """Make a variable of a complex array.

    Args:
        array: complex64 or complex128.
        place: where the parts shall live.
        zero_copy: as for `from_numpy`.
        name: its name, to which the parts add `.real` and `.imag`.
    """
    return ComplexVariable(
        from_numpy(np.real(array), place, zero_copy=zero_copy, name=f"{name}.real"),
        from_numpy(np.imag(array), place, zero_copy=zero_copy, name=f"{name}.imag"),
    )
