"""`VarDesc.VarType`: Paddle's element types, and their counterparts in torch and NumPy.

The numbers are those of Paddle's framework.proto, because they are written into old programs.
May import: torch, numpy.
"""

from __future__ import annotations

import enum

import numpy as np
import torch

__all__ = ["VarDesc", "VarType", "to_numpy_dtype", "to_torch_dtype", "to_var_type"]


class VarType(enum.IntEnum):
    """Paddle's type numbers: element types first, kinds of variables from 7 on."""

    BOOL = 0
    INT16 = 1
    INT32 = 2
    INT64 = 3
    FP16 = 4
    FP32 = 5
    FP64 = 6
    LOD_TENSOR = 7
    SELECTED_ROWS = 8
    FEED_MINIBATCH = 9
    FETCH_LIST = 10
    STEP_SCOPES = 11
    LOD_RANK_TABLE = 12
    LOD_TENSOR_ARRAY = 13
    PLACE_LIST = 14
    READER = 15
    RAW = 17
    TUPLE = 18
    SIZE_T = 19
    UINT8 = 20
    INT8 = 21

    def __str__(self) -> str:
        return f"VarType.{self.name}"

    __repr__ = __str__

    @property
    def is_floating_point(self) -> bool:
        """Whether it is a floating-point type; PyTorch's own code asks every dtype this."""
        return _TORCH[self].is_floating_point

    @property
    def is_complex(self) -> bool:
        """False: Paddle 1.8 has no complex element type."""
        return False

    def __eq__(self, other: object) -> bool:
        """Compare with another VarType or a number; anything else is a TypeError, as in Paddle."""
        if isinstance(other, torch.dtype):
            return _TORCH.get(self) is other
        if other is not None and not isinstance(other, int):
            raise TypeError(
                f"a dtype is compared with a VarType such as fluid.core.VarDesc.VarType.FP32, "
                f"but received {other!r}."
            )
        return other is not None and int(self) == int(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = enum.IntEnum.__hash__


class VarDesc:
    """The namespace under which Paddle keeps `VarType`."""

    VarType = VarType


_TORCH = {
    VarType.BOOL: torch.bool,
    VarType.INT16: torch.int16,
    VarType.INT32: torch.int32,
    VarType.INT64: torch.int64,
    VarType.FP16: torch.float16,
    VarType.FP32: torch.float32,
    VarType.FP64: torch.float64,
    VarType.UINT8: torch.uint8,
    VarType.INT8: torch.int8,
}
_NUMPY = {kind: torch.empty(0, dtype=dtype).numpy().dtype for kind, dtype in _TORCH.items()}
_FROM_TORCH = {dtype: kind for kind, dtype in _TORCH.items()}
_FROM_NAME = {str(dtype): kind for kind, dtype in _NUMPY.items()}
_TORCH_FROM_NAME = {name: _TORCH[kind] for name, kind in _FROM_NAME.items()}


def to_var_type(dtype: object) -> VarType:
    """Return the VarType of a VarType, torch dtype, NumPy dtype or its name.

    Raises:
        TypeError: Paddle 1.8 has no such element type.
    """
    found: VarType | None
    if isinstance(dtype, VarType):
        found = dtype
    elif isinstance(dtype, torch.dtype):
        found = _FROM_TORCH.get(dtype)
    elif isinstance(dtype, int):
        found = VarType(dtype)
    else:
        try:
            found = _FROM_NAME.get(np.dtype(dtype).name)  # type: ignore[call-overload]
        except TypeError:
            found = None
    if found is None or found not in _TORCH:
        names = ", ".join(str(d) for d in _NUMPY.values())
        raise TypeError(f"`dtype` must be one of {names}, but received {dtype!r}.")
    return found


def to_torch_dtype(dtype: object) -> torch.dtype:
    """Return the torch dtype of whatever `to_var_type` accepts."""
    # first what most programs write: NumPy takes its time to look a name up
    found = _TORCH_FROM_NAME.get(dtype) if isinstance(dtype, str) else None
    return _TORCH[to_var_type(dtype)] if found is None else found


def to_numpy_dtype(dtype: object) -> np.dtype:
    """Return the NumPy dtype of whatever `to_var_type` accepts."""
    return _NUMPY[to_var_type(dtype)]
