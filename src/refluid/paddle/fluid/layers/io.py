"""`fluid.layers.data`: the name, shape and type of what a reader will give.

May import: core_avx.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from refluid.paddle.fluid.core_avx.dtype import VarType
from refluid.paddle.fluid.core_avx.table.blank import blank
from refluid.paddle.fluid.core_avx.variable import VarBase

__all__ = ["data"]


def data(
    name: str,
    shape: Sequence[int],
    append_batch_size: bool = True,
    dtype: Any = "float32",
    lod_level: int = 0,
    type: VarType = VarType.LOD_TENSOR,
    stop_gradient: bool = True,
) -> VarBase:
    """Describe what a reader will give, for the `feed_list` of `PyReader` or `DataLoader`.

    Same as Paddle 1.8 in the dynamic graph, where the variable never gets values: the reader
    returns others.

    Args:
        name: of the variable.
        shape: its sizes, -1 where one is not known.
        append_batch_size: put -1 in front, unless the shape has -1 or None already.
        dtype: element type.
        lod_level: accepted for compatibility.
        type: accepted for compatibility.
        stop_gradient: accepted for compatibility.
    """
    sizes = [-1 if size is None else int(size) for size in shape]
    if append_batch_size and min(sizes, default=0) >= 0:
        sizes = [-1, *sizes]
    return blank(dtype, name, sizes)
