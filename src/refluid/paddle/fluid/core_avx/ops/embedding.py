"""Tables of vectors that are looked up by number. May import: torch, operator, index."""

from __future__ import annotations

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, operator
from refluid.paddle.fluid.core_avx.ops.index import check_index

__all__ = ["lookup_table", "lookup_table_v2"]


@operator("lookup_table_v2", direct=True, weight=FLOAT, ids=INT64)
def lookup_table_v2(
    weight: Tensor, ids: Tensor, padding_idx: int = -1, is_sparse: bool = False
) -> Tensor:
    """Look up rows of a table.

    Args:
        weight: float [N, D].
        ids: int64 of any shape, from 0 to N - 1.
        padding_idx: number whose row is given as zeros, whatever the table holds; -1 for none.
        is_sparse: the table's gradient is the rows that were looked up, not a whole table.

    Returns:
        The shape of `ids`, and D.
    """
    return _look_up("lookup_table_v2", weight, ids, padding_idx, is_sparse)


@operator("lookup_table", direct=True, weight=FLOAT, ids=INT64)
def lookup_table(
    weight: Tensor, ids: Tensor, padding_idx: int = -1, is_sparse: bool = False
) -> Tensor:
    """Look up rows of a table, the numbers standing in a last dimension of size 1.

    Args:
        weight: float [N, D].
        ids: int64 [..., 1].
        padding_idx: as for `lookup_table_v2`.
        is_sparse: likewise.

    Returns:
        [..., D].
    """
    if not (ids.dim() > 0 and ids.size(-1) == 1):
        raise EnforceNotMet(
            "lookup_table: the last dimension of `ids` must be 1, but received shape "
            f"{list(ids.size())}; fluid.embedding takes any shape."
        )
    return _look_up("lookup_table", weight, ids.squeeze(-1), padding_idx, is_sparse)


def _look_up(
    op_type: str, weight: Tensor, ids: Tensor, padding_idx: int, is_sparse: bool
) -> Tensor:
    if weight.dim() != 2:
        raise EnforceNotMet(
            f"{op_type}: `weight` must have 2 dimensions, but received shape {list(weight.size())}."
        )
    if ids.is_cuda:
        check_index(op_type, "ids", ids, weight.size(0))
    try:
        out = torch.embedding(weight, ids, -1, False, is_sparse)
    except (IndexError, RuntimeError):  # on the CPU torch looks at every number itself
        check_index(op_type, "ids", ids, weight.size(0))
        raise
    if padding_idx == -1:
        return out
    padded = torch.eq(ids, padding_idx).unsqueeze(-1)
    if is_sparse:
        # .data: the rows of a sparse gradient keep what padding receives, as in Paddle
        out.data.masked_fill_(padded, 0.0)
        return out
    return out.masked_fill_(padded, 0.0)
