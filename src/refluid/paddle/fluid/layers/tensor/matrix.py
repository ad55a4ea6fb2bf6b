"""Matrices: diagonals and products of them.

May import: torch, numpy, core_avx, layers.argument.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import NUMBER, operator
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layers.argument import as_variable, write

__all__ = ["diag", "kron", "trace", "tril", "triu"]


def diag(diagonal: VarBase | np.ndarray) -> VarBase:
    """Return the matrix [N, N] with `diagonal` [N] on its diagonal and zeros elsewhere.

    Same as Paddle 1.8; no gradient flows.
    """
    return _diagonal(as_variable(diagonal))


@operator("diag", direct=True, diagonal=NUMBER)
def _diagonal(diagonal: Tensor) -> Tensor:
    if diagonal.dim() != 1:
        raise EnforceNotMet(
            f"diag: `diagonal` must have one dimension, but received {list(diagonal.size())}."
        )
    return torch.diag(torch.detach(diagonal))


@operator("kron", direct=True, x=NUMBER, y=NUMBER)
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
        name: accepted for compatibility.

    Returns:
        The other dimensions, or [1].
    """
    diagonal = torch.diagonal(input, offset, dim1, dim2)
    total = torch.sum(diagonal, -1, dtype=input.dtype)
    return write(total if total.dim() else torch.unsqueeze(total, 0), out)


@operator("tril", direct=True, input=NUMBER)
def tril(input: Tensor, diagonal: int = 0, name: str | None = None) -> Tensor:
    """Set to 0 what lies above a diagonal of matrices [..., N, M]. Same as Paddle 1.8."""
    return torch.tril(input, _check_diagonal("tril", input, diagonal))


@operator("triu", direct=True, input=NUMBER)
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
