"""Making many elements one. May import: torch, core_avx."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator
from refluid.paddle.fluid.core_avx.table.route import op, route

__all__: list[str] = []


def _reduce(
    name: str, X: Tensor, dim: list[int], keep_dim: bool, reduce_all: bool, out_dtype: int
) -> Any:
    if not (dim or reduce_all):
        raise EnforceNotMet(f"{name}: `dim` must not be empty unless `reduce_all` is True.")
    x = X if out_dtype < 0 else op.cast(X, out_dtype)
    return getattr(op, name)(x, None if reduce_all else dim, keep_dim)


for _name in "all any max mean min prod sum".split():
    route(
        f"reduce_{_name}",
        lambda X, dim, keep_dim, reduce_all, out_dtype, _name=f"reduce_{_name}": _reduce(
            _name, X, dim, keep_dim, reduce_all, out_dtype
        ),
    )

route("allclose", lambda Input, Other, rtol, atol, equal_nan: op.allclose(
    Input, Other, rtol, atol, equal_nan
))  # fmt: skip
route("dist", lambda X, Y, p: op.dist(X, Y, p))
route("mean", lambda X: op.mean(X))
route("trace", lambda Input, offset, dim1, dim2: op.trace(Input, offset, dim1, dim2))


@operator("frobenius_norm", x=FLOAT)
def _frobenius(x: Tensor, dim: list[int] | None, keep_dim: bool) -> Tensor:
    norm = torch.linalg.vector_norm(x, dim=dim, keepdim=keep_dim)
    return norm if norm.dim() else norm.reshape(1)


route(
    "frobenius_norm",
    lambda X, dim, keep_dim, reduce_all: op.frobenius_norm(
        X, None if reduce_all or not dim else dim, keep_dim
    ),
)


@operator("p_norm", x=FLOAT)
def _p_norm(x: Tensor, porder: float, axis: int, keepdim: bool) -> Tensor:
    norm = torch.linalg.vector_norm(x, porder, dim=axis, keepdim=keepdim)
    return norm if norm.dim() else norm.reshape(1)


# `epsilon` keeps the gradient at 0 finite in Paddle; here it is 0 there
route(
    "p_norm",
    lambda X, porder, axis, epsilon, keepdim: op.p_norm(X, porder, axis, keepdim),
)
