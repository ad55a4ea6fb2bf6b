"""Products of matrices and vectors.

May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, NUMBER, operator

__all__ = ["addmm", "bmm", "cos_sim", "cross", "dot", "matmul", "mul"]


@operator("matmul", direct=True, x=FLOAT, y=FLOAT)
def matmul(
    x: Tensor,
    y: Tensor,
    transpose_x: bool = False,
    transpose_y: bool = False,
    alpha: float = 1.0,
    name: str | None = None,
) -> Tensor:
    """Multiply matrices, or batches of them; vectors are rows on the left, columns on the right.

    Same as Paddle 1.8: two vectors give shape [1].

    Args:
        x: [..., N, K], [K] or, with `transpose_x`, [..., K, N].
        y: [..., K, M], [K] or, with `transpose_y`, [..., M, K].
        transpose_x: swap the last two dimensions of x; a vector becomes a column.
        transpose_y: swap the last two dimensions of y; a vector becomes a row.
        alpha: multiplies the result.
        name: accepted for compatibility.
    """
    if transpose_x:
        x = torch.transpose(x, -1, -2) if x.dim() > 1 else torch.unsqueeze(x, 1)
    if transpose_y:
        y = torch.transpose(y, -1, -2) if y.dim() > 1 else torch.unsqueeze(y, 0)
    result = torch.matmul(x, y)
    if alpha != 1.0:
        result = result * float(alpha)
    return result if result.dim() else torch.unsqueeze(result, 0)


@operator("mul", direct=True, x=FLOAT, y=FLOAT)
def mul(
    x: Tensor,
    y: Tensor,
    x_num_col_dims: int = 1,
    y_num_col_dims: int = 1,
    name: str | None = None,
) -> Tensor:
    """Multiply as matrices whose rows are the first dimensions and columns the rest.

    Same as Paddle 1.8.

    Args:
        x: its first `x_num_col_dims` dimensions are the rows.
        y: its first `y_num_col_dims` dimensions are the rows.
        x_num_col_dims: at least 1.
        y_num_col_dims: at least 1.
        name: accepted for compatibility.

    Returns:
        Row dimensions of x, then column dimensions of y.
    """
    sizes = (x.size(), y.size())
    for letter, size, rows in (("x", sizes[0], x_num_col_dims), ("y", sizes[1], y_num_col_dims)):
        if not 0 < rows < len(size):
            raise EnforceNotMet(
                f"mul: `{letter}_num_col_dims` must leave rows and columns of {list(size)}, but "
                f"received {rows}."
            )
    width, height = math.prod(sizes[0][x_num_col_dims:]), math.prod(sizes[1][:y_num_col_dims])
    if width != height:
        raise EnforceNotMet(
            f"mul: `x` {list(sizes[0])} has {width} columns, but `y` {list(sizes[1])} has {height} "
            "rows."
        )
    product = torch.mm(torch.reshape(x, (-1, width)), torch.reshape(y, (height, -1)))
    return torch.reshape(product, sizes[0][:x_num_col_dims] + sizes[1][y_num_col_dims:])


@operator("bmm", direct=True, x=FLOAT, y=FLOAT)
def bmm(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """Multiply batches of matrices: x [B, N, K], y [B, K, M]. Same as Paddle 1.8."""
    return torch.bmm(x, y)


@operator("addmm", direct=True, input=FLOAT, x=FLOAT, y=FLOAT)
def addmm(
    input: Tensor,
    x: Tensor,
    y: Tensor,
    alpha: float = 1.0,
    beta: float = 1.0,
    name: str | None = None,
) -> Tensor:
    """Return beta * input + alpha * (x times y), x [N, K], y [K, M]. Same as Paddle 1.8."""
    return torch.addmm(input, x, y, beta=beta, alpha=alpha)


@operator("dot", direct=True, x=NUMBER, y=NUMBER)
def dot(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """Return the inner product of vectors [N], or of the rows of [B, N]; shape [1] or [B, 1].

    Same as Paddle 1.8.
    """
    if not (x.dim() in (1, 2) and x.size() == y.size()):
        raise EnforceNotMet(
            f"dot: `x` and `y` must both be [N] or [B, N], but received {list(x.size())} and "
            f"{list(y.size())}."
        )
    return torch.sum(torch.mul(x, y), -1, keepdim=True)


@operator("cos_sim", direct=True, X=FLOAT, Y=FLOAT)
def cos_sim(X: Tensor, Y: Tensor) -> Tensor:
    """Return the cosine between the rows of X [B, N] and of Y [B, N] or [1, N]; [B, 1].

    Same as Paddle 1.8: a norm below 1e-4 counts as 1e-4, so that rows of zeros give 0.
    """
    x, y = torch.flatten(X, 1), torch.flatten(Y, 1)
    return torch.sum(torch.mul(x, y), 1, keepdim=True) / (_norm(x) * _norm(y))


def _norm(x: Tensor) -> Tensor:
    squares = torch.sum(torch.mul(x, x), 1, keepdim=True)
    fixed = torch.detach(squares)
    # Paddle's gradient is that of the norm, also where it counts as more
    return torch.sqrt(squares + (torch.clamp(fixed, min=1e-8) - fixed))


@operator("cross", direct=True, input=NUMBER, other=NUMBER)
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Return the vector product along an axis of size 3, by default the first such axis.

    Same as Paddle 1.8.
    """
    if dim is None:
        sizes = list(input.size())
        if 3 not in sizes:
            raise EnforceNotMet(f"cross: `input` has no dimension of size 3, its shape is {sizes}.")
        dim = sizes.index(3)
    return torch.linalg.cross(input, other, dim=dim)
