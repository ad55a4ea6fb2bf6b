"""Variables made of numbers.

May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.dtype import to_torch_dtype
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import ANY, describe, operator
from refluid.paddle.fluid.core_avx.tracer import current_place
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layers.argument import number, size_of, sizes_like, unlinked, write

__all__ = [
    "arange",
    "eye",
    "fill_constant",
    "fill_constant_batch_size_like",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "range",
    "zeros",
    "zeros_like",
]


@operator("fill_constant")
def fill_constant(
    shape: Sequence[int] | Tensor,
    dtype: Any,
    value: float | Tensor,
    force_cpu: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return a variable all of whose elements are one number.

    Same as Paddle 1.8.

    Args:
        shape: ints, Variables of shape [1], or one Variable of sizes.
        dtype: element type.
        value: a number, the text of one, or a Variable of shape [1]; cut to a whole one for
            integers.
        force_cpu: accepted for compatibility.
        out: a variable to overwrite and return.

    Returns:
        A variable of `shape`, stop_gradient True.
    """
    kind = to_torch_dtype(dtype)
    filling: float | int = float(number(value))
    if not kind.is_floating_point and math.isfinite(filling):
        # from the value itself: a float does not hold every int64
        filling = bool(filling) if kind is torch.bool else int(number(value))
    sizes = size_of("fill_constant", "shape", shape)
    return write(torch.full(sizes, filling, dtype=kind, device=current_place().device), out)


def ones(shape: Sequence[int], dtype: Any, force_cpu: bool = False) -> VarBase:
    """Return a variable of ones, stop_gradient True.

    Same as Paddle 1.8.

    Raises:
        TypeError: `shape` is not a list.
        AssertionError: a size is 0.
    """
    if not isinstance(shape, (list, tuple)):
        raise TypeError(f"ones: `shape` must be a list of ints, but received {describe(shape)}.")
    assert math.prod(shape) > 0, f"ones: the sizes in `shape` must be positive, not {shape}."
    return fill_constant(shape, dtype, 1.0, force_cpu)


def zeros(shape: Sequence[int], dtype: Any, force_cpu: bool = False) -> VarBase:
    """Return a variable of zeros, stop_gradient True.

    Same as Paddle 1.8.

    Raises:
        TypeError: `shape` is not a list.
    """
    if not isinstance(shape, (list, tuple)):
        raise TypeError(f"zeros: `shape` must be a list of ints, but received {describe(shape)}.")
    return fill_constant(shape, dtype, 0.0, force_cpu)


def full(
    shape: Sequence[int] | Tensor,
    fill_value: float | Tensor,
    out: Tensor | None = None,
    dtype: Any = None,
    device: str | None = None,
    stop_gradient: bool = True,
    name: str | None = None,
) -> VarBase:
    """Return a variable all of whose elements are one number, by default float32.

    Same as Paddle 1.8; otherwise as `fill_constant`.
    """
    return fill_constant(shape, "float32" if dtype is None else dtype, fill_value, out=out)


@operator("fill_constant_batch_size_like", direct=True, input=ANY)
def fill_constant_batch_size_like(
    input: Tensor,
    shape: Sequence[int],
    dtype: Any,
    value: float,
    input_dim_idx: int = 0,
    output_dim_idx: int = 0,
    force_cpu: bool = False,
) -> Tensor:
    """Return a constant of `shape` whose size at one dimension is that of `input`.

    Same as Paddle 1.8.

    Args:
        input: any shape.
        shape: sizes; the one at `output_dim_idx` is replaced.
        dtype: element type.
        value: the number.
        input_dim_idx: which size of `input` to take.
        output_dim_idx: where to put it.
        force_cpu: accepted for compatibility.
    """
    sizes = sizes_like("fill_constant_batch_size_like", input, shape, input_dim_idx, output_dim_idx)
    kind = to_torch_dtype(dtype)
    filling = value if kind.is_floating_point else int(value)
    return torch.full(sizes, filling, dtype=kind, device=input.device)


@operator("fill_any_like", input=ANY)
def full_like(
    input: Tensor,
    fill_value: float,
    out: Tensor | None = None,
    dtype: Any = None,
    device: str | None = None,
    stop_gradient: bool = True,
    name: str | None = None,
) -> Tensor:
    """Return a constant of the shape of `input`, by default of its element type.

    Same as Paddle 1.8.
    """
    kind = input.dtype if dtype is None else to_torch_dtype(dtype)
    filling = fill_value if kind.is_floating_point else int(fill_value)
    result = torch.full(input.size(), filling, dtype=kind, device=input.device)
    if kind.is_floating_point:
        result.requires_grad_(not stop_gradient)
    return write(result, out)


@operator("ones_like", x=ANY)
def ones_like(x: Tensor, out: Tensor | None = None) -> Tensor:
    """Return ones of the shape and element type of x.

    Same as Paddle 1.8: its stop_gradient is that of x, though no gradient comes back.
    """
    return write(unlinked(torch.ones(x.size(), dtype=x.dtype, device=x.device), x), out)


@operator("fill_zeros_like", x=ANY)
def zeros_like(x: Tensor, out: Tensor | None = None) -> Tensor:
    """Return zeros of the shape and element type of x. Same as Paddle 1.8."""
    return write(torch.zeros(x.size(), dtype=x.dtype, device=x.device), out)


@operator("eye")
def eye(
    num_rows: int,
    num_columns: int | None = None,
    batch_shape: list[int] | None = None,
    dtype: Any = "float32",
) -> Tensor:
    """Return a matrix with ones on its diagonal, or a batch of them.

    Same as Paddle 1.8.

    Args:
        num_rows: not negative.
        num_columns: by default `num_rows`.
        batch_shape: sizes in front of the matrix, all positive.
        dtype: element type.

    Raises:
        TypeError: a size is of another type or out of range.
    """
    columns = num_rows if num_columns is None else num_columns
    for name, value in (("num_rows", num_rows), ("num_columns", columns)):
        if not isinstance(value, int) or value < 0:
            raise TypeError(f"eye: `{name}` must be an int from 0 on, but received {value!r}.")
    matrix = torch.eye(
        num_rows, columns, dtype=to_torch_dtype(dtype), device=current_place().device
    )
    if batch_shape is None:
        return matrix
    if not isinstance(batch_shape, list) or any(n <= 0 for n in batch_shape):
        raise TypeError(
            f"eye: `batch_shape` must be a list of positive ints, but received {batch_shape!r}."
        )
    return matrix.expand(*batch_shape, num_rows, columns).clone()


@operator("range")
def range(start: float | Tensor, end: float | Tensor, step: float | Tensor, dtype: Any) -> Tensor:
    """Return start, start + step and so on, up to before `end`. Same as Paddle 1.8."""
    return _steps("range", start, end, step, dtype)


@operator("arange")
def arange(
    start: float | Tensor,
    end: float | Tensor,
    step: float | Tensor = 1,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """Return start, start + step and so on, up to before `end`, by default float32.

    Same as Paddle 1.8.
    """
    return _steps("arange", start, end, step, "float32" if dtype is None else dtype)


def _steps(op_type: str, start: Any, end: Any, step: Any, dtype: Any) -> Tensor:
    kind = to_torch_dtype(dtype)
    first, last, distance = number(start), number(end), number(step)
    for name, value in (("start", first), ("end", last), ("step", distance)):
        if not isinstance(value, (int, float)):
            raise TypeError(f"{op_type}: `{name}` must be a number, but received {value!r}.")
    if not kind.is_floating_point:
        first, last, distance = int(first), int(last), int(distance)
    if not (distance != 0 and (last - first) * distance >= 0):
        raise EnforceNotMet(
            f"{op_type}: `step` must lead from {first} to {last}, but is {distance}."
        )
    return torch.arange(first, last, distance, dtype=kind, device=current_place().device)


@operator("linspace")
def linspace(start: float | Tensor, stop: float | Tensor, num: int | Tensor, dtype: Any) -> Tensor:
    """Return `num` numbers at equal distances from `start` to `stop`. Same as Paddle 1.8."""
    count = int(number(num))
    if count <= 0:
        raise EnforceNotMet(f"linspace: `num` must be positive, but received {count}.")
    return torch.linspace(
        number(start),
        number(stop),
        count,
        dtype=to_torch_dtype(dtype),
        device=current_place().device,
    )
