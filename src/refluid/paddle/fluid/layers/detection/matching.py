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
    rows = torch.full((sizes["C"],), -1, dtype=torch.int32, device=dist_matrix.device)
    likeness = dist_matrix.new_zeros(sizes["C"])
    # column by column, so that argmax settles ties as Paddle does
    left = torch.where(dist_matrix >= _NOTHING, dist_matrix, 0.0).t().clone()
    for _ in range(min(left.size())):
        column, row = divmod(int(left.argmax()), sizes["R"])
        if left[column, row] <= 0:
            break
        rows[column], likeness[column] = row, left[column, row]
        left[column], left[:, row] = 0.0, 0.0
    if match_type == "per_prediction" and sizes["R"]:
        best, row = dist_matrix.max(0)
        free = (rows < 0) & (best >= threshold) & (best >= _NOTHING)
        rows = torch.where(free, row.to(torch.int32), rows)
        likeness = torch.where(free, best, likeness)
    return rows.unsqueeze(0), likeness.unsqueeze(0)
