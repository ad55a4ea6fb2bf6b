"""`ComplexVariable`: two variables in one."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid.core_avx.complex import ComplexVariable
from refluid.paddle.fluid.dygraph import guard, to_variable

# as Paddle 1.8.5 prints it
TEXT = (
    "REAL: name _generated_var_0.real, dtype: VarType.FP64 shape: [2] \tlod: {}\n\tdim: 2\n"
    "\tlayout: NCHW\n\tdtype: double\n\tdata: [1 2]\nIMAG: name _generated_var_0.imag, dtype: "
    "VarType.FP64 shape: [2] \tlod: {}\n\tdim: 2\n\tlayout: NCHW\n\tdtype: double\n"
    "\tdata: [1 -1]\n"
)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_array_becomes_a_complex_variable(dtype: str) -> None:
    array = np.array([1 + 1j, 2 - 1j], dtype)
    with guard():
        x = to_variable(array)
        assert isinstance(x, ComplexVariable)
        assert (x.dtype, x.shape) == (dtype, [2])
        assert x.real.stop_gradient
        assert x.numpy().dtype == dtype
        assert x.numpy().tolist() == array.tolist()
        assert to_variable(x) is x


def test_it_prints_as_in_paddle() -> None:
    with guard():
        x = to_variable(np.array([1 + 1j, 2 - 1j]))
        assert str(x) == repr(x) == TEXT


def test_names_are_those_of_the_parts() -> None:
    with guard():
        x = to_variable(np.array([1j]), name="x")
        assert x.name == {"real": "x.real", "imag": "x.imag"}
        x.name = "y"
        assert x.imag.name == "y.imag"
        x.name = ("a", "b")
        assert x.name == {"real": "a", "imag": "b"}
        with pytest.raises(ValueError, match="`name` must be a str, or a tuple or list of two"):
            x.name = 3


def test_parts_must_fit_each_other() -> None:
    with guard():
        x, y = to_variable(np.ones(2)), to_variable(np.ones(3))
        with pytest.raises(AssertionError, match=r"one shape, but received \[2\] and \[3\]"):
            ComplexVariable(x, y)
        with pytest.raises(AssertionError, match="must have one dtype"):
            ComplexVariable(x, to_variable(np.ones(2, "float32")))
        with pytest.raises(AssertionError, match="`imag` must be a Variable, but received float"):
            ComplexVariable(x, 1.0)


def test_there_are_no_signs_between_them() -> None:
    with guard():
        x = to_variable(np.array([1j]))
        for attempt in (lambda: x + x, lambda: -x, lambda: x[0], lambda: len(x)):
            with pytest.raises(TypeError):
                attempt()
