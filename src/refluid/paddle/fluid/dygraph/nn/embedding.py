"""The layer that looks up vectors by number. May import: core_avx, layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from refluid.paddle.fluid.core_avx.ops import embedding
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn.argument import positive
from refluid.paddle.fluid.dygraph.nn.parameter import Registered, needed_weight

__all__ = ["Embedding"]


class Embedding(Layer):
    """Look up a vector for each number. Same as Paddle 1.8.

    Args:
        size: [N, D], how many vectors there are and how long they are.
        is_sparse: the weight's gradient is the rows that were looked up, repeated ones kept.
        is_distributed: accepted for compatibility.
        padding_idx: number that gives zeros and gets no gradient; below 0 it counts from the end.
        param_attr: attributes of the weight [N, D].
        dtype: element type of the weight.

    Raises:
        TypeError: `size` is not a list or tuple.
        ValueError: `size` has not two entries.
        AssertionError: `param_attr` is False.
    """

    weight: Any = Registered()

    def __init__(
        self,
        size: Sequence[int],
        is_sparse: bool = False,
        is_distributed: bool = False,
        padding_idx: int | None = None,
        param_attr: Any = None,
        dtype: str = "float32",
    ) -> None:
        if not isinstance(size, (list, tuple)):
            raise TypeError(f"`size` must be a list [N, D], but received {size!r}.")
        if len(size) != 2:
            raise ValueError(f"`size` must have two entries, N and D, but received {size!r}.")
        super().__init__()
        self._size = size
        sizes = [positive(size[0], "size[0]"), positive(size[1], "size[1]")]
        self._is_sparse = is_sparse
        self._is_distributed = is_distributed
        if padding_idx is None:
            self._padding_idx = -1
        else:
            self._padding_idx = padding_idx if padding_idx >= 0 else size[0] + padding_idx
        self._param_attr = param_attr
        self._dtype = dtype
        self._remote_prefetch = is_sparse and not is_distributed
        self.weight = needed_weight(self, sizes, param_attr, dtype)

    def forward(self, input: VarBase) -> VarBase:
        """Look up `input`, int64 of any shape; the result has one dimension more, of size D.

        Raises:
            EnforceNotMet: the numbers are not int64, or one is outside of 0 to N - 1.
        """
        return embedding.lookup_table_v2(self.weight, input, self._padding_idx, self._is_sparse)
