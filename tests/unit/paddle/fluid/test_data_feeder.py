"""Arguments are checked outside of dygraph mode, and not in it, as in Paddle 1.8.5."""

from __future__ import annotations

import numpy as np
import pytest

from refluid.paddle.fluid import data_feeder
from refluid.paddle.fluid.core_avx import CPUPlace
from refluid.paddle.fluid.core_avx.dtype import VarType
from refluid.paddle.fluid.core_avx.tracer import use_tracer
from refluid.paddle.fluid.data_feeder import (
    check_dtype,
    check_type,
    check_variable_and_dtype,
    convert_dtype,
)
from refluid.paddle.fluid.dygraph.base import guard, to_variable


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (VarType.FP32, "float32"),
        (VarType.BOOL, "bool"),
        (VarType.UINT8, "uint8"),
        (np.float16, "float16"),
        (np.dtype("int8"), "int8"),
        (bool, "bool"),
        ("int64", "int64"),
    ],
)
def test_names_of_element_types(dtype, name):
    assert convert_dtype(dtype) == name


@pytest.mark.parametrize(
    "dtype", [int, float, "float", "float32 ", None, 3, VarType.LOD_TENSOR, np.complex64, "U4"]
)
def test_other_element_types_are_refused(dtype):
    with pytest.raises(ValueError, match="`dtype` must be any of bool, float16"):
        convert_dtype(dtype)


def test_nothing_is_checked_in_dygraph_mode():
    with guard(CPUPlace()):
        x = to_variable(np.ones(2, np.float32))
        check_variable_and_dtype(x, "x", ["float64"], "op")
        check_type(3, "x", str, "op")
        check_dtype("no type", "x", ["float64"], "op")
        with pytest.raises(AttributeError, match="dtype"):
            check_variable_and_dtype(3, "x", ["float64"], "op")


def test_types_are_checked_outside():
    with guard(CPUPlace()):
        x = to_variable(np.ones(2, np.float32))
    with use_tracer(None):
        check_variable_and_dtype(x, "x", ["float32"], "op")
        check_type(3, "x", (str, int), "op")
        with pytest.raises(TypeError, match=r"of 'x' in op must be <class 'str'>, .*'int'>. more"):
            check_type(3, "x", str, "op", "more")
        with pytest.raises(TypeError, match=r"must be \['float64'\], but received float32. more"):
            check_variable_and_dtype(x, "x", ["float64"], "op", "more")
        with pytest.raises(TypeError, match=r"The type of 'x' in op must be"):
            check_variable_and_dtype(3, "x", ["float64"], "op")
        with pytest.warns(UserWarning, match="'x' in op only support float16 in GPU now"):
            check_dtype("float16", "x", ["float16"], "op")


def test_public_names():
    assert set(data_feeder.__all__) == {
        "check_dtype",
        "check_type",
        "check_variable_and_dtype",
        "convert_dtype",
    }
