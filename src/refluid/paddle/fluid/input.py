"""`fluid.embedding` and `fluid.one_hot`, which take numbers of any shape.

May import: core_avx, layers.nn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from refluid.paddle.fluid.core_avx.operator import INTEGER, operator
from refluid.paddle.fluid.core_avx.ops import embedding as _embedding
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layers.argument import number
from refluid.paddle.fluid.layers.nn.connect import make_table
from refluid.paddle.fluid.layers.nn.select import hot_vectors

__all__ = ["embedding", "one_hot"]


@operator("one_hot_v2", input=INTEGER)
def one_hot(input: Tensor, depth: int | Tensor, allow_out_of_range: bool = False) -> Tensor:
    """Return vectors of zeros with a 1 at each number of `input`.

    Same as Paddle 1.8.

    Args:
        input: int32 or int64 of any shape.
        depth: length of the vectors, an int or a Variable of shape [1].
        allow_out_of_range: give zeros for numbers outside [0, depth) instead of an error.

    Returns:
        float32 [..., depth].
    """
    return hot_vectors(input, int(number(depth)), allow_out_of_range)


def embedding(
    input: VarBase,
    size: Sequence[int],
    is_sparse: bool = False,
    is_distributed: bool = False,
    padding_idx: int | None = None,
    param_attr: Any = None,
    dtype: Any = "float32",
) -> VarBase:
    """Look up a vector for each number.

    Same as Paddle 1.8.

    Args:
        input: int64 of any shape.
        size: [C, D], how many vectors there are and how long they are.
        is_sparse: the weight's gradient is the rows that were looked up.
        is_distributed: accepted for compatibility.
        padding_idx: number that gives zeros and gets no gradient; below 0 it counts from the end.
        param_attr: attributes of the weight [C, D].
        dtype: element type of the weight.

    Returns:
        The shape of `input`, and D.
    """
    weight, padding = make_table(size, padding_idx, param_attr, dtype)
    return _embedding.lookup_table_v2(weight, input, padding, is_sparse)
