"""`fluid.data`, whose shape is whole. May import: core_avx, layers.io."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layers import io

__all__ = ["data"]


def data(
    name: str, shape: Sequence[int | None], dtype: Any = "float32", lod_level: int = 0
) -> VarBase:
    """Describe what a reader will give, as `fluid.layers.data` does.

    Same as Paddle 1.8 in the dynamic graph.

    Args:
        name: of the variable.
        shape: its sizes, -1 or None where one is not known, that of the batch too.
        dtype: element type.
        lod_level: accepted for compatibility.
    """
    sizes = [-1 if size is None else size for size in shape]
    return io.data(name, sizes, False, dtype, lod_level)
