"""Variables to write to, parameters, and copies.

May import: torch, numpy, core_avx, framework, initializer, layer_helper_base, layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.core_avx.dtype import to_torch_dtype
from refluid.paddle.fluid.core_avx.operator import ANY, describe, operator
from refluid.paddle.fluid.core_avx.tracer import current_place
from refluid.paddle.fluid.core_avx.variable import VarBase, wrap
from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.initializer import Initializer
from refluid.paddle.fluid.layer_helper_base import create_parameter as _create_parameter
from refluid.paddle.fluid.layers.argument import write
from refluid.paddle.fluid.layers.tensor.constant import fill_constant
from refluid.paddle.fluid.param_attr import ParamAttr

__all__ = ["assign", "create_global_var", "create_parameter", "create_tensor"]


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
