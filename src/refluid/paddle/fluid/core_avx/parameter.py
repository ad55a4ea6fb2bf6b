"""`ParamBase`: a parameter of a Layer. May import: torch, dtype, tracer, variable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from refluid.paddle.fluid.core_avx import tracer
from refluid.paddle.fluid.core_avx.dtype import to_torch_dtype
from refluid.paddle.fluid.core_avx.variable import VarBase

__all__ = ["ParamBase"]


class ParamBase(VarBase, torch.nn.Parameter):  # type: ignore[override]
    """A parameter of a Layer: a VarBase that is a torch.nn.Parameter too.

    Same as Paddle 1.8. It starts with undefined values; `Layer.create_parameter` fills them.

    Args:
        shape: sizes, all positive.
        dtype: element type.
        **kwargs: `name`, `trainable` (True), `optimize_attr` ({"learning_rate": 1.0}),
            `regularizer` (None), `do_model_average` (None), `is_distributed` (False).

    Raises:
        ValueError: a size is not positive.
    """

    __module__ = "paddle.fluid.framework"

    persistable = True
    _prefix = "parameter"
    trainable: bool
    optimize_attr: dict[str, float]
    regularizer: Any
    do_model_average: Any
    is_distributed: bool  # type: ignore[assignment]

    def __new__(cls, shape: Sequence[int], dtype: Any, **kwargs: Any) -> ParamBase:
        """Make a parameter whose values are not defined yet."""
        if not all(isinstance(n, int) and n > 0 for n in shape):
            raise ValueError(f"`shape` must be positive ints, but received {list(shape)}.")
        torch_dtype = to_torch_dtype(dtype)
        trainable = kwargs.get("trainable", True)
        data = torch.empty(tuple(shape), dtype=torch_dtype, device=tracer.current_place().device)
        self = torch.Tensor._make_subclass(cls, data, trainable and torch_dtype.is_floating_point)
        self._name = kwargs.get("name")
        self.trainable = trainable
        self.optimize_attr = kwargs.get("optimize_attr", {"learning_rate": 1.0})
        self.regularizer = kwargs.get("regularizer")
        self.do_model_average = kwargs.get("do_model_average")
        self.is_distributed = kwargs.get("is_distributed", False)
        if self.requires_grad:
            tracer.note_leaf(self)
        return self

    def __init__(self, shape: Sequence[int], dtype: Any, **kwargs: Any) -> None:
        """Accept the arguments of `__new__`, which uses them."""

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return str(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> ParamBase:
        copy = type(self)(
            self.shape,
            self.dtype,
            name=self._name,
            trainable=self.trainable,
            optimize_attr=dict(self.optimize_attr),
            regularizer=self.regularizer,
            do_model_average=self.do_model_average,
            is_distributed=self.is_distributed,
        )
        copy.set_value(self)
        copy.stop_gradient = self.stop_gradient
        memo[id(self)] = copy
        return copy
