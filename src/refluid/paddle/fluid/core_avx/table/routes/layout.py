"""Rearranging: shapes, joining, cutting, repeating, padding.

Sizes come as attributes or, as in Paddle, as variables that take their place.
May import: torch, core_avx.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import NUMBER, many, operator
from refluid.paddle.fluid.core_avx.table.route import op, route

__all__ = ["ints"]


def ints(
    variable: Tensor | None, variables: Sequence[Tensor] | None, otherwise: Sequence[int]
) -> list[int]:
    """Return ints from one variable of them, from variables of one each, or as they are."""
    if variables:
        return [int(v.item()) for v in variables]
    return list(otherwise) if variable is None else [int(n) for n in variable.reshape(-1).tolist()]


def _axis(variable: Tensor | None, otherwise: int) -> int:
    return otherwise if variable is None else int(variable.item())


for _name in ("reshape", "reshape2"):
    route(
        _name,
        lambda X, Shape, ShapeTensor, shape: op.reshape2(X, ints(Shape, ShapeTensor, shape)),
    )
for _name in ("transpose", "transpose2"):
    route(_name, lambda X, axis, data_format: op.transpose2(X, axis))
for _name in ("squeeze", "squeeze2"):
    route(_name, lambda X, axes: op.squeeze2(X, axes))
for _name in ("unsqueeze", "unsqueeze2"):
    route(
        _name,
        lambda X, AxesTensor, AxesTensorList, axes: op.unsqueeze2(
            X, ints(AxesTensor, AxesTensorList, axes)
        ),
    )
for _name in ("flatten", "flatten2"):
    route(_name, lambda X, axis: op.flatten2(X, axis))

route("cast", lambda X, out_dtype, in_dtype: op.cast(X, out_dtype))
route("concat", lambda X, AxisTensor, axis: op.concat(X, _axis(AxisTensor, axis)))
route("diag", lambda Diagonal: op.diag(Diagonal))
route("diag_embed", lambda Input, offset, dim1, dim2: op.diag_embed(Input, offset, dim1, dim2))
route(
    "expand",
    lambda X, ExpandTimes, expand_times_tensor, expand_times: op.expand(
        X, ints(ExpandTimes, expand_times_tensor, expand_times)
    ),
)
route("expand_as", lambda X, target_tensor: op.expand_as(X, target_tensor))
route("flip", lambda X, dims: op.flip(X, dims))
route("meshgrid", lambda X: op.meshgrid(X))
route("pad", lambda X, paddings, pad_value: op.pad(X, paddings, pad_value))
route(
    "pad2d",
    lambda X, Paddings, paddings, mode, pad_value, data_format: op.pad2d(
        X, ints(Paddings, None, paddings), mode, pad_value, data_format
    ),
)
route("pad_constant_like", lambda X, Y, pad_value: op.pad_constant_like(X, Y, pad_value))
route("reverse", lambda X, axis: op.reverse(X, axis))
route("roll", lambda X, shifts, dims: op.roll(X, shifts, dims or None))
route("stack", lambda X, axis: op.stack(X, axis))
route("unbind", lambda X, axis: op.unstack(X, axis))
route("unstack", lambda X, axis, num: op.unstack(X, axis, num))


def _split(
    X: Tensor,
    AxisTensor: Tensor | None,
    SectionsTensorList: list[Tensor] | None,
    sections: list[int],
    num: int,
    axis: int,
) -> Any:
    sizes = ints(None, SectionsTensorList, sections)
    return op.split(X, sizes or num, _axis(AxisTensor, axis))


route("split", _split)


def _crop_tensor(
    X: Tensor,
    Shape: Tensor | None,
    Offsets: Tensor | None,
    ShapeTensor: list[Tensor] | None,
    OffsetsTensor: list[Tensor] | None,
    offsets: list[int],
    shape: list[int],
) -> Any:
    starts = ints(Offsets, OffsetsTensor, offsets)
    return op.crop_tensor(X, ints(Shape, ShapeTensor, shape), starts or None)


route("crop_tensor", _crop_tensor)
route(
    "crop",
    lambda X, Y, Offsets, offsets, shape: op.crop(
        X, shape if Y is None else Y, ints(Offsets, None, offsets) or None
    ),
)


# --- parts --------------------------------------------------------------------------------------


def _without(x: Tensor, axes: Sequence[int]) -> Any:
    """Drop axes of size 1; of a single element [1] remains."""
    kept = [n for k, n in enumerate(x.size()) if k not in axes]
    return op.reshape2(x, kept or [1])


def _slice(
    Input: Tensor,
    StartsTensor: Tensor | None,
    EndsTensor: Tensor | None,
    StartsTensorList: list[Tensor] | None,
    EndsTensorList: list[Tensor] | None,
    axes: list[int],
    starts: list[int],
    ends: list[int],
    decrease_axis: list[int],
) -> Any:
    begins = ints(StartsTensor, StartsTensorList, starts)
    piece = op.slice(Input, axes, begins, ints(EndsTensor, EndsTensorList, ends))
    return _without(piece, decrease_axis) if decrease_axis else piece


def _strided_slice(
    Input: Tensor,
    StartsTensor: Tensor | None,
    EndsTensor: Tensor | None,
    StridesTensor: Tensor | None,
    StartsTensorList: list[Tensor] | None,
    EndsTensorList: list[Tensor] | None,
    StridesTensorList: list[Tensor] | None,
    axes: list[int],
    starts: list[int],
    ends: list[int],
    strides: list[int],
    decrease_axis: list[int],
) -> Any:
    piece = op.strided_slice(
        Input,
        axes,
        ints(StartsTensor, StartsTensorList, starts),
        ints(EndsTensor, EndsTensorList, ends),
        ints(StridesTensor, StridesTensorList, strides),
    )
    return _without(piece, decrease_axis) if decrease_axis else piece


route("slice", _slice)
route("strided_slice", _strided_slice)


@operator("partial_concat", x=many(NUMBER))
def _partial_concat(x: list[Tensor], start_index: int, length: int) -> Tensor:
    return torch.cat(_columns("partial_concat", x, start_index, length), 1)


@operator("partial_sum", x=many(NUMBER))
def _partial_sum(x: list[Tensor], start_index: int, length: int) -> Tensor:
    return torch.stack(_columns("partial_sum", x, start_index, length)).sum(0, dtype=x[0].dtype)


def _columns(op_type: str, x: list[Tensor], start: int, length: int) -> list[Tensor]:
    """Return the same columns of several matrices; a length below 0 means all up to the end."""
    width = x[0].size(-1)
    begin = start + width if start < 0 else start
    end = width if length < 0 else begin + length
    if not (all(t.dim() == 2 and t.size() == x[0].size() for t in x) and 0 <= begin < end <= width):
        raise EnforceNotMet(
            f"{op_type}: `X` must be matrices of one shape with columns from {begin} to {end}, but "
            f"received {[list(t.size()) for t in x]}."
        )
    return [t[:, begin:end] for t in x]


route(
    "partial_concat",
    lambda X, start_index, length: op.partial_concat(X, start_index, length),
)
route("partial_sum", lambda X, start_index, length: op.partial_sum(X, start_index, length))
