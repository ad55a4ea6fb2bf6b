"""Element by element: activations, arithmetic, comparisons, questions, dropout.

May import: torch, core_avx.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.operator import FLOAT, NUMBER, operator
from refluid.paddle.fluid.core_avx.table.route import op, route

__all__: list[str] = []


def _unary(name: str) -> Callable[..., Any]:
    return lambda X: getattr(op, name)(X)


for _name in (
    "abs acos asin atan ceil cos erf exp floor log log1p logical_not logsigmoid reciprocal relu "
    "round rsqrt sigmoid sign sin softplus softsign sqrt square tanh tanh_shrink isfinite isinf "
    "isnan is_empty"
).split():
    route(_name, _unary(_name))

route("brelu", lambda X, t_min, t_max: op.brelu(X, t_min, t_max))
route("elu", lambda X, alpha: op.elu(X, alpha))
route("gelu", lambda X, approximate: op.gelu(X, approximate))
route("hard_shrink", lambda X, threshold: op.hard_shrink(X, threshold))
route("hard_sigmoid", lambda X, slope, offset: op.hard_sigmoid(X, slope, offset))
route(
    "hard_swish",
    lambda X, threshold, scale, offset: op.hard_swish(X, threshold, scale, offset),
)
route("leaky_relu", lambda X, alpha: op.leaky_relu(X, alpha))
route("maxout", lambda X, groups, axis: op.maxout(X, groups, axis=axis))
route("mish", lambda X, threshold: op.mish(X, threshold))
route("prelu", lambda X, Alpha, mode: op.prelu(X, Alpha, mode))
route("relu6", lambda X, threshold: op.relu6(X, threshold))
route("selu", lambda X, scale, alpha: op.selu(X, scale, alpha))
route("soft_relu", lambda X, threshold: op.soft_relu(X, threshold))
# Paddle's softmax has an attribute `data_format` that its kernels do not read
route("softmax", lambda X, axis, data_format: op.softmax(X, axis=axis))
route("softshrink", lambda X, lambda_: op.softshrink(X, lambda_))
route("stanh", lambda X, scale_a, scale_b: op.stanh(X, scale_a, scale_b))
route("swish", lambda X, beta: op.swish_by(X, beta))
route("thresholded_relu", lambda X, threshold: op.thresholded_relu(X, threshold))


@operator("swish_by", x=FLOAT)
def _swish(x: Tensor, beta: float) -> Tensor:
    """Return x * sigmoid(beta * x); the function `swish` takes no notice of its `beta`."""
    return x * torch.sigmoid(x * beta)


# --- two variables ------------------------------------------------------------------------------


def _placed(name: str) -> Callable[..., Any]:
    return lambda X, Y, axis: getattr(op, name)(X, Y, axis)


def _binary(name: str) -> Callable[..., Any]:
    return lambda X, Y: getattr(op, name)(X, Y)


for _name in "add div floordiv max min mod mul pow sub".split():
    route(f"elementwise_{_name}", _placed(f"elementwise_{_name}"))
for _name in (
    "equal not_equal less_than less_equal greater_than greater_equal logical_and logical_or "
    "logical_xor"
).split():
    route(_name, _binary(_name))


@operator("minus", x=NUMBER, y=NUMBER)
def _minus(x: Tensor, y: Tensor) -> Tensor:
    return x - y


@operator("equal_reduce", x=NUMBER, y=NUMBER)
def _all_equal(x: Tensor, y: Tensor) -> Tensor:
    return torch.tensor([torch.equal(x, y)], device=x.device)


route("minus", _binary("minus"))
route("equal_reduce", _binary("equal_reduce"))
route("sum", lambda X: op.sum(X))

# --- with numbers -------------------------------------------------------------------------------


def _number(variable: Tensor | None, otherwise: float) -> float:
    return otherwise if variable is None else float(variable.item())


route(
    "clip",
    lambda X, Min, Max, min, max: op.clip(X, _number(Min, min), _number(Max, max)),
)
route("clip_by_norm", lambda X, max_norm: op.clip_by_norm(X, max_norm))
route("increment", lambda X, step: op.increment(X, step))
route("pow", lambda X, FactorTensor, factor: op.pow(X, _number(FactorTensor, factor)))
route(
    "scale",
    lambda X, ScaleTensor, scale, bias, bias_after_scale: op.scale(
        X, _number(ScaleTensor, scale), bias, bias_after_scale
    ),
)
route("cumsum", lambda X, axis, exclusive, reverse: op.cumsum(X, axis, exclusive, reverse))


def _dropout(
    X: Tensor,
    Seed: Tensor | None,
    dropout_prob: float,
    fix_seed: bool,
    seed: int,
    is_test: bool,
    dropout_implementation: str,
) -> Any:
    start = seed if fix_seed else None
    if Seed is not None:
        start = int(Seed.item())
    return op.dropout(X, dropout_prob, start, not is_test, dropout_implementation)


route("dropout", _dropout)


@operator("squared_l2_norm", x=FLOAT)
def _squared_norm(x: Tensor) -> Tensor:
    return torch.sum(x * x).reshape(1)


@operator("l1_norm", x=FLOAT)
def _l1_norm(x: Tensor) -> Tensor:
    return torch.sum(torch.abs(x)).reshape(1)


route("squared_l2_norm", _unary("squared_l2_norm"))
route("l1_norm", _unary("l1_norm"))
