"""VarType and its counterparts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refluid.paddle.fluid.core_avx.dtype import (
    VarType,
    to_numpy_dtype,
    to_torch_dtype,
    to_var_type,
)


def test_numbers_are_paddles():
    assert (int(VarType.BOOL), int(VarType.INT64), int(VarType.FP32), int(VarType.UINT8)) == (
        0,
        3,
        5,
        20,
    )


@pytest.mark.parametrize("given", ["float32", np.float32, np.dtype("f4"), torch.float32, 5])
def test_every_name_of_a_type_is_understood(given):
    assert to_var_type(given) is VarType.FP32
    assert to_torch_dtype(given) is torch.float32
    assert to_numpy_dtype(given) == np.float32


@pytest.mark.parametrize("given", ["float", "double", np.float64])
def test_pythons_float_is_float64(given):
    assert to_var_type(given) is VarType.FP64


@pytest.mark.parametrize("given", ["uint32", "complex64", torch.bfloat16, VarType.LOD_TENSOR, "x"])
def test_other_types_are_refused(given):
    with pytest.raises(TypeError, match=r"`dtype` must be one of bool, int16.*but received"):
        to_torch_dtype(given)


def test_comparison_with_anything_else_is_a_type_error():
    assert VarType.FP32 == 5
    assert VarType.FP32 != VarType.FP64
    assert VarType.FP32 == torch.float32
    assert {VarType.FP32: 1}[VarType.FP32] == 1
    with pytest.raises(TypeError, match=r"VarType\.FP32, but received 'float32'"):
        _ = VarType.FP32 == "float32"
