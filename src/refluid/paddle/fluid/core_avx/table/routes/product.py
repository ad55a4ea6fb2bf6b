"""Products, with each other and with weights. May import: torch, core_avx."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, NUMBER, operator
from refluid.paddle.fluid.core_avx.table.route import op, route

__all__: list[str] = []

# Paddle's way to say that no dimension was given
_NO_DIM = 9

route("addmm", lambda Input, X, Y, Alpha, Beta: op.addmm(Input, X, Y, Alpha, Beta))
route(
    "bilinear_tensor_product",
    lambda X, Y, Weight, Bias: op.bilinear_tensor_product(X, Y, Weight, Bias),
)
route("bmm", lambda X, Y: op.bmm(X, Y))
route("cos_sim", lambda X, Y: op.cos_sim(X, Y))
route("cross", lambda X, Y, dim: op.cross(X, Y, None if dim == _NO_DIM else dim))
route("dot", lambda X, Y: op.dot(X, Y))
route("fsp", lambda X, Y: op.fsp(X, Y))
route("kron", lambda X, Y: op.kron(X, Y))
route(
    "matmul",
    lambda X, Y, transpose_X, transpose_Y, alpha: op.matmul(X, Y, transpose_X, transpose_Y, alpha),
)
route(
    "mul",
    lambda X, Y, x_num_col_dims, y_num_col_dims: op.mul(X, Y, x_num_col_dims, y_num_col_dims),
)
route("row_conv", lambda X, Filter: op.row_conv(X, Filter, None))
route(
    "tree_conv",
    lambda NodesVector, EdgeSet, Filter, max_depth: op.tree_conv(
        NodesVector, EdgeSet, Filter, None, max_depth
    ),
)


@operator("tril_triu", x=NUMBER)
def _triangle(x: Tensor, diagonal: int, lower: bool) -> Tensor:
    return torch.tril(x, diagonal) if lower else torch.triu(x, diagonal)


route("tril_triu", lambda X, diagonal, lower: op.tril_triu(X, diagonal, lower))


def _fc(
    Input: Tensor, W: Tensor, Bias: Tensor | None, in_num_col_dims: int, activation_type: str
) -> Any:
    out = op.mul(Input, W, in_num_col_dims, 1)
    if Bias is not None:
        out = op.elementwise_add(out, op.reshape2(Bias, [-1]))
    if activation_type not in ("", "relu"):
        raise EnforceNotMet(f'fc: `activation_type` must be "" or "relu", not {activation_type!r}.')
    return op.relu(out) if activation_type else out


route("fc", _fc)


@operator("conv_shift", x=FLOAT, y=FLOAT)
def _conv_shift(x: Tensor, y: Tensor) -> Tensor:
    """Correlate each row of x [B, N] with that of y [B, M], M odd, around a circle."""
    width, reach = x.size(1), y.size(1) // 2
    if not (x.dim() == y.dim() == 2 and y.size(1) % 2 and y.size(1) <= width):
        raise EnforceNotMet(
            "conv_shift: `X` must be [B, N] and `Y` [B, M] with M odd and not above N, but "
            f"received {list(x.size())} and {list(y.size())}."
        )
    shifted = [torch.roll(x, reach - k, 1) * y[:, k : k + 1] for k in range(y.size(1))]
    return torch.stack(shifted).sum(0)


route("conv_shift", lambda X, Y: op.conv_shift(X, Y))


@operator("cvm", x=FLOAT, cvm=FLOAT)
def _cvm(x: Tensor, cvm: Tensor, use_cvm: bool) -> Tensor:
    """Take the logarithms of shows and of clicks per show, the first two columns; or drop both."""
    if not use_cvm:
        return x[:, 2:].clone()
    shows = torch.log(x[:, :1] + 1)
    return torch.cat([shows, torch.log(x[:, 1:2] + 1) - shows, x[:, 2:]], 1)


route("cvm", lambda X, CVM, use_cvm: op.cvm(X, CVM, use_cvm))
