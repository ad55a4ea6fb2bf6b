"""`bipartite_match`: which box of one set belongs to which of another. R rows, C columns.

May import: torch, core_avx, layers.detection.
"""

from __future__ import annotations

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator
from refluid.paddle.fluid.layers.detection.argument import real, sizes_of

__all__ = ["bipartite_match"]

# what Paddle takes for no likeness at all
_NOTHING = 1e-6


@operator("bipartite_match", dist_matrix=FLOAT)
@torch.no_grad()
def bipartite_match(
    dist_matrix: Tensor,
    match_type: str | None = None,
    dist_threshold: float | None = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Match columns to rows one to one, the most alike first.

    Differs from Paddle: `match_type` and `dist_threshold` may be left out, which is an error in
    its dynamic graph.

    Args:
        dist_matrix: float [R, C], how alike they are.
        match_type: "bipartite"; or "per_prediction", which then gives each column left the row
            that is most like it.
        dist_threshold: for "per_prediction", how alike they must be at least; 0.5 by default.
        name: accepted for compatibility.

    Returns:
        int32 [1, C], the row of each column, -1 for none; and [1, C], how alike they are, else 0.
        They have no gradient.

    Raises:
        EnforceNotMet: the shape or a setting does not fit.
    """
    op_type = "bipartite_match"
    sizes = sizes_of(op_type, dist_matrix=(dist_matrix, "R C"))
    match_type = "bipartite" if match_type is None else match_type
    if match_type not in ("bipartite", "per_prediction"):
        raise EnforceNotMet(
            f'{op_type}: `match_type` must be "bipartite" or "per_prediction", but received '
            f"{match_type!r}."
        )
    threshold = real(op_type, "dist_threshold", 0.5 if dist_threshold is None else dist_threshold)
    rows, likeness = _pairs(torch.where(dist_matrix >= _NOTHING, dist_matrix, 0.0))
    if match_type == "per_prediction" and sizes["R"]:
        best, row = dist_matrix.max(0)
        free = (rows < 0) & (best >= threshold) & (best >= _NOTHING)
        rows = torch.where(free, row, rows)
        likeness = torch.where(free, best, likeness)
    return rows.to(torch.int32).unsqueeze(0), likeness.unsqueeze(0)


def _pairs(left: Tensor) -> tuple[Tensor, Tensor]:
    """Return the row of each column, -1 for none, and how alike they are, else 0.

    Of equals the first column comes first, then the first row. A pair that is the best of its row
    and of its column stays so while others are taken: such pairs are taken all at once.

    Args:
        left: float [R, C], 0 for what must not be matched; it is overwritten.
    """
    columns = torch.arange(left.size(1), device=left.device)
    rows, likeness = torch.full_like(columns, -1), left.new_zeros(len(columns))
    while left.any():
        best, row = left.max(0)
        pairs = (left.argmax(1)[row] == columns) & (best > 0)
        rows, likeness = torch.where(pairs, row, rows), torch.where(pairs, best, likeness)
        left.index_fill_(0, row[pairs], 0.0).masked_fill_(pairs, 0.0)
    return rows, likeness
