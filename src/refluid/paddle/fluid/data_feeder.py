"""Checks of arguments that Paddle's own layers make, and layers of programs made after them.

`DataFeeder`, which Paddle has here too, feeds the static graph.
May import: numpy, core_avx, framework.
"""

from __future__ import annotations

import warnings
from collections.abc import Container
from typing import Any

import numpy as np

from refluid.paddle.fluid.core_avx import VarBase, VarDesc
from refluid.paddle.fluid.core_avx.dtype import to_numpy_dtype
from refluid.paddle.fluid.framework import in_dygraph_mode

__all__ = ["check_dtype", "check_type", "check_variable_and_dtype", "convert_dtype"]

_NAMES = ("bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8")


def convert_dtype(dtype: Any) -> str:
    """Return the name of an element type.

    Same as Paddle 1.8.

    Args:
        dtype: a `VarType`, a NumPy type, `bool`, or a name.

    Raises:
        ValueError: Paddle has no such element type.
    """
    name = None
    if isinstance(dtype, VarDesc.VarType):
        # its numbers from 7 on are kinds of variables
        name = _name_of(dtype)
    elif dtype is bool or (isinstance(dtype, type) and issubclass(dtype, np.generic)):
        name = np.dtype(dtype).name
    elif isinstance(dtype, (str, np.dtype)):
        name = str(dtype)
    if name not in _NAMES:
        raise ValueError(f"`dtype` must be any of {', '.join(_NAMES)}, but received {dtype!r}.")
    return name


def _name_of(dtype: Any) -> str | None:
    try:
        return to_numpy_dtype(dtype).name
    except TypeError:
        return None


def check_variable_and_dtype(
    input: Any,
    input_name: str,
    expected_dtype: Container[str],
    op_name: str,
    extra_message: str = "",
) -> None:
    """Check that an argument is a variable of one of some element types.

    Same as Paddle 1.8: in dygraph mode nothing is checked.

    Args:
        input: the argument.
        input_name: its name.
        expected_dtype: names of the element types.
        op_name: name of the operator.
        extra_message: end of the message of an error.

    Raises:
        AttributeError: `input` has no `dtype`.
        TypeError: outside of dygraph mode, it is something else.
    """
    check_type(input, input_name, VarBase, op_name, extra_message)
    check_dtype(input.dtype, input_name, expected_dtype, op_name, extra_message)


def check_type(
    input: Any, input_name: str, expected_type: Any, op_name: str, extra_message: str = ""
) -> None:
    """Check that an argument is of one of some types; in dygraph mode nothing is checked.

    Same as Paddle 1.8.

    Args:
        input: the argument.
        input_name: its name.
        expected_type: a type, or a tuple of types.
        op_name: name of the operator.
        extra_message: end of the message of an error.

    Raises:
        TypeError: outside of dygraph mode, it is of another type.
    """
    if not in_dygraph_mode() and not isinstance(input, expected_type):
        raise TypeError(
            f"The type of '{input_name}' in {op_name} must be {expected_type}, but received "
            f"{type(input)}. {extra_message}"
        )


def check_dtype(
    input_dtype: Any,
    input_name: str,
    expected_dtype: Container[str],
    op_name: str,
    extra_message: str = "",
) -> None:
    """Check that an element type is one of some; in dygraph mode nothing is checked.

    Same as Paddle 1.8.

    Args:
        input_dtype: whatever `convert_dtype` takes.
        input_name: name of the argument that has it.
        expected_dtype: names of the element types.
        op_name: name of the operator.
        extra_message: end of the message of an error.

    Raises:
        TypeError: outside of dygraph mode, it is none of them.
        ValueError: outside of dygraph mode, Paddle has no such element type.
    """
    if in_dygraph_mode():
        return
    name = convert_dtype(input_dtype)
    if name == "float16":
        warnings.warn(
            f"The data type of '{input_name}' in {op_name} only support float16 in GPU now. "
            f"{extra_message}",
            stacklevel=2,
        )
    if name not in expected_dtype:
        raise TypeError(
            f"The data type of '{input_name}' in {op_name} must be {expected_dtype}, but received "
            f"{name}. {extra_message}"
        )
