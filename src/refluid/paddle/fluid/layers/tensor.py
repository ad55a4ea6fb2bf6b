"""Making variables, joining and converting them.

May import: torch, numpy, core_avx, initializer, layer_helper_base, layers.nn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.core_avx.dtype import to_torch_dtype
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import (
    ANY,
    NUMBER,
    describe,
    many,
    operator,
)
from refluid.paddle.fluid.core_avx.tracer import current_place
from refluid.paddle.fluid.core_avx.variable import VarBase, wrap
from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.initializer import Initializer
from refluid.paddle.fluid.layer_helper_base import create_parameter as _create_parameter
from refluid.paddle.fluid.layers.argument import (
    axes_of,
    axis_of,
    number,
    size_of,
    sizes_like,
    unlinked,
    write,
)
from refluid.paddle.fluid.layers.nn.elementwise import add_up
from refluid.paddle.fluid.layers.nn.layout import stack
from refluid.paddle.fluid.param_attr import ParamAttr

__all__ = [
    "arange",
    "argmax",
    "argmin",
    "argsort",
    "assign",
    "cast",
    "concat",
    "create_global_var",
    "create_parameter",
    "create_tensor",
    "diag",
    "eye",
    "fill_constant",
    "fill_constant_batch_size_like",
    "full",
    "full_like",
    "has_inf",
    "has_nan",
    "isfinite",
    "kron",
    "linspace",
    "ones",
    "ones_like",
    "range",
    "reverse",
    "sums",
    "tensor_array_to_tensor",
    "trace",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]


# --- constants ----------------------------------------------------------------------------------


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


@operator("fill_constant_batch_size_like", input=ANY)
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


# --- variables ----------------------------------------------------------------------------------


def create_tensor(dtype: Any, name: str | None = None, persistable: bool = False) -> VarBase:
    """Return an empty variable for others to write to. Same as Paddle 1.8."""
    variable = wrap(torch.empty(0, dtype=to_torch_dtype(dtype), device=current_place().device))
    variable.name = name or unique_name.generate("create_tensor")
    variable.persistable = persistable
    return variable


def create_global_var(
    shape: Sequence[int],
    value: float,
    dtype: Any,
    persistable: bool = False,
    force_cpu: bool = False,
    name: str | None = None,
) -> VarBase:
    """Return a constant with a name of its own. Same as Paddle 1.8."""
    variable = fill_constant(shape, dtype, value, force_cpu)
    variable.name = name or unique_name.generate("global_var")
    variable.persistable = persistable
    return variable


def create_parameter(
    shape: Sequence[int],
    dtype: Any,
    name: str | None = None,
    attr: ParamAttr | None = None,
    is_bias: bool = False,
    default_initializer: Initializer | None = None,
) -> ParamBase:
    """Make a parameter outside of any Layer.

    Same as Paddle 1.8.

    Args:
        shape: sizes.
        dtype: element type.
        name: its name, unless `attr` gives one.
        attr: its attributes.
        is_bias: start from 0 rather than Xavier.
        default_initializer: in place of these, where `attr` names none.

    Raises:
        TypeError: `attr` is no ParamAttr, or `default_initializer` no Initializer.
    """
    if attr is not None and not isinstance(attr, ParamAttr):
        raise TypeError(f"create_parameter: `attr` must be a ParamAttr, not {describe(attr)}.")
    if default_initializer is not None and not isinstance(default_initializer, Initializer):
        raise TypeError(
            "create_parameter: `default_initializer` must be an Initializer, but received "
            f"{describe(default_initializer)}."
        )
    owner = unique_name.generate("create_parameter")
    attr = ParamAttr(name=name) if attr is None else attr
    return _create_parameter(owner, attr, shape, dtype, is_bias, default_initializer)


def assign(input: VarBase | np.ndarray, output: VarBase | None = None) -> VarBase:
    """Copy a variable or an array.

    Same as Paddle 1.8.

    Args:
        input: a Variable, or an array of bool, float32, int32 or int64.
        output: a variable to overwrite and return.

    Raises:
        TypeError: it is neither, or an array of another element type.
    """
    if isinstance(input, np.ndarray):
        if input.dtype.name not in ("bool", "float32", "int32", "int64"):
            raise TypeError(
                "assign: an array as `input` must be of bool, float32, int32 or int64, but "
                f"received {input.dtype}."
            )
        copy = torch.tensor(input, device=current_place().device)
        return wrap(write(copy, output))
    return _copy(input, output)


@operator("assign", input=ANY)
def _copy(input: Tensor, output: Tensor | None) -> Tensor:
    return torch.clone(input) if output is None else write(input, output)


# --- joining and converting ---------------------------------------------------------------------


@operator("cast", x=ANY)
def cast(x: Tensor, dtype: Any) -> Tensor:
    """Return the values as another element type (a VarType, NumPy type or name).

    Same as Paddle 1.8; gradients come back as the element type of x.
    """
    return x.to(to_torch_dtype(dtype), copy=True)


@operator("concat", input=many(ANY))
def concat(
    input: Tensor | Sequence[Tensor], axis: int | Tensor = 0, name: str | None = None
) -> Tensor:
    """Join variables along a dimension; their other sizes are equal.

    Same as Paddle 1.8: of one variable the rows are joined.
    """
    tensors = torch.unbind(input) if isinstance(input, Tensor) else input
    if len(tensors) <= 0:
        raise EnforceNotMet("concat: `input` must not be empty.")
    axis = axis_of("concat", "axis", axis, tensors[0].dim())
    ranks = {t.dim() for t in tensors}
    if not (
        len(ranks) == 1 and len({t.size()[:axis] + t.size()[axis + 1 :] for t in tensors}) == 1
    ):
        raise EnforceNotMet(
            f"concat: the variables in `input` must differ in dimension {axis} only, but received "
            f"{describe(list(tensors))}."
        )
    return torch.cat(list(tensors), axis)


def tensor_array_to_tensor(
    input: list[VarBase], axis: int = 1, name: str | None = None, use_stack: bool = False
) -> tuple[VarBase, VarBase]:
    """Join an array of variables along `axis`, or a new dimension there with `use_stack`.

    Same as Paddle 1.8.

    Returns:
        What is joined, and the size of each variable at `axis`, int32 or int64 [N].
    """
    assert isinstance(input, list), (
        f"tensor_array_to_tensor: `input` must be a list, but received {describe(input)}."
    )
    joined = stack(input, axis) if use_stack else concat(input, axis)
    sizes = torch.tensor([v.size(axis) for v in input], device=joined.device)
    return joined, wrap(sizes)


@operator("sums", input=many(NUMBER))
def sums(input: Tensor | Sequence[Tensor], out: Tensor | None = None) -> Tensor:
    """Add up a list of variables of one shape. Same as Paddle 1.8.

    Args:
        input: variables of one shape and element type; one alone is copied.
        out: a variable to overwrite and return.
    """
    return write(add_up("sums", input), out)


# --- order --------------------------------------------------------------------------------------


@operator("arg_max", x=NUMBER)
def argmax(x: Tensor, axis: int = 0) -> Tensor:
    """Return the positions of the largest elements along `axis`, of equal ones the first; int64.

    Same as Paddle 1.8; note that the axis is 0 by default.
    """
    return _position("argmax", torch.argmax, x, axis)


@operator("arg_min", x=NUMBER)
def argmin(x: Tensor, axis: int = 0) -> Tensor:
    """Return the positions of the smallest elements along `axis`, of equal ones the first; int64.

    Same as Paddle 1.8; note that the axis is 0 by default.
    """
    return _position("argmin", torch.argmin, x, axis)


def _position(op_type: str, function: Any, x: Tensor, axis: int) -> Tensor:
    found = function(x, axis_of(op_type, "axis", axis, x.dim()))
    return found if found.dim() else torch.unsqueeze(found, 0)


@operator("argsort", input=NUMBER)
def argsort(
    input: Tensor, axis: int = -1, descending: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Sort along `axis`; equal elements keep their order.

    Same as Paddle 1.8.

    Returns:
        The sorted elements, and the position each came from, int64.
    """
    axis = axis_of("argsort", "axis", axis, input.dim())
    return tuple(torch.sort(input, dim=axis, descending=descending, stable=True))


@operator("reverse", x=ANY)
def reverse(x: Tensor, axis: int | Sequence[int]) -> Tensor:
    """Reverse the order of the elements along the dimensions `axis`. Same as Paddle 1.8."""
    if not isinstance(axis, (int, list, tuple)):
        raise TypeError(f"reverse: `axis` must be an int or a list, but received {axis!r}.")
    return torch.flip(x, axes_of("reverse", "axis", axis, x.dim()))


# --- questions ----------------------------------------------------------------------------------


@operator("isfinite", x=NUMBER)
def isfinite(x: Tensor) -> Tensor:
    """Return a bool [1]: whether no element is infinite or NaN. Same as Paddle 1.8."""
    return torch.unsqueeze(torch.all(torch.isfinite(x)), 0)


@operator("isinf", x=NUMBER)
def has_inf(x: Tensor) -> Tensor:
    """Return [1]: whether an element is infinite. Same as Paddle 1.8."""
    return torch.unsqueeze(torch.any(torch.isinf(x)), 0)


@operator("isnan", x=NUMBER)
def has_nan(x: Tensor) -> Tensor:
    """Return [1]: whether an element is NaN. Same as Paddle 1.8."""
    return torch.unsqueeze(torch.any(torch.isnan(x)), 0)


# --- matrices -----------------------------------------------------------------------------------


def diag(diagonal: VarBase | np.ndarray) -> VarBase:
    """Return the matrix [N, N] with `diagonal` [N] on its diagonal and zeros elsewhere.

    Same as Paddle 1.8; no gradient flows.
    """
    return _diagonal(assign(diagonal) if isinstance(diagonal, np.ndarray) else diagonal)


@operator("diag", diagonal=NUMBER)
def _diagonal(diagonal: Tensor) -> Tensor:
    if diagonal.dim() != 1:
        raise EnforceNotMet(
            f"diag: `diagonal` must have one dimension, but received {list(diagonal.size())}."
        )
    return torch.diag(torch.detach(diagonal))


@operator("kron", x=NUMBER, y=NUMBER)
def kron(x: Tensor, y: Tensor, out: Tensor | None = None, name: str | None = None) -> Tensor:
    """Return the Kronecker product: each element of x times the whole of y. Same as Paddle 1.8."""
    return torch.kron(x, y)


@operator("trace", input=NUMBER)
def trace(
    input: Tensor,
    offset: int = 0,
    dim1: int = 0,
    dim2: int = 1,
    out: Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """Add up the diagonals of the matrices in two dimensions.

    Same as Paddle 1.8.

    Args:
        input: at least two dimensions.
        offset: which diagonal; above the main one for positive numbers.
        dim1: the rows.
        dim2: the columns.
        out: a variable to overwrite and return.

    Returns:
        The other dimensions, or [1].
    """
    diagonal = torch.diagonal(input, offset, dim1, dim2)
    total = torch.sum(diagonal, -1, dtype=input.dtype)
    return write(total if total.dim() else torch.unsqueeze(total, 0), out)


@operator("tril", input=NUMBER)
def tril(input: Tensor, diagonal: int = 0, name: str | None = None) -> Tensor:
    """Set to 0 what lies above a diagonal of matrices [..., N, M]. Same as Paddle 1.8."""
    return torch.tril(input, _check_diagonal("tril", input, diagonal))


@operator("triu", input=NUMBER)
def triu(input: Tensor, diagonal: int = 0, name: str | None = None) -> Tensor:
    """Set to 0 what lies below a diagonal of matrices [..., N, M]. Same as Paddle 1.8."""
    return torch.triu(input, _check_diagonal("triu", input, diagonal))


def _check_diagonal(op_type: str, input: Tensor, diagonal: Any) -> int:
    if input.dim() < 2:
        raise ValueError(
            f"{op_type}: `input` must have at least two dimensions, but received shape "
            f"{list(input.size())}."
        )
    if not isinstance(diagonal, int):
        raise TypeError(f"{op_type}: `diagonal` must be an int, but received {diagonal!r}.")
    return diagonal
