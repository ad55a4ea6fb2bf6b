"""Picking elements by number, by rank or by condition, and putting them back.

May import: torch, core_avx.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.operator import ANY, BOOL, FLOAT, INT64, operator
from refluid.paddle.fluid.core_avx.table.route import op, route

__all__: list[str] = []

route("argsort", lambda X, axis, descending: op.argsort(X, axis, descending))
route("gather", lambda X, Index, overwrite: op.gather(X, Index, overwrite))
route("gather_nd", lambda X, Index: op.gather_nd(X, Index))
route("index_sample", lambda X, Index: op.index_sample(X, Index))
route("index_select", lambda X, Index, dim: op.index_select(X, Index, dim))
route("multiplex", lambda Ids, X: op.multiplex(X, Ids))
route("scatter", lambda X, Ids, Updates, overwrite: op.scatter(X, Ids, Updates, None, overwrite))
route("scatter_nd_add", lambda X, Index, Updates: op.scatter_nd_add(X, Index, Updates))
route("shape", lambda Input: op.shape(Input))
route(
    "shard_index",
    lambda X, index_num, nshards, shard_id, ignore_value: op.shard_index(
        X, index_num, nshards, shard_id, ignore_value
    ),
)
route("size", lambda Input: op.size(Input))
route("unique", lambda X, dtype: op.unique(X, dtype))
route("unique_with_counts", lambda X, dtype: op.unique_with_counts(X, dtype))
route("hash", lambda X, num_hash, mod_by: op.hash(X, mod_by, num_hash))
route("get_tensor_from_selected_rows", lambda X: op.get_tensor_from_selected_rows(X))
route("merge_selected_rows", lambda X: op.merge_selected_rows(X))
route("where_index", lambda Condition: op.where_index(Condition))
route("lookup_table", lambda W, Ids, padding_idx, is_sparse, grad_inplace: op.lookup_table(
    W, Ids, padding_idx, is_sparse
))  # fmt: skip
route("lookup_table_v2", lambda W, Ids, padding_idx, is_sparse: op.lookup_table_v2(
    W, Ids, padding_idx, is_sparse
))  # fmt: skip


@operator("where", condition=BOOL, x=ANY, y=ANY)
def _where(condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return torch.where(condition, x, y)


route("where", lambda Condition, X, Y: op.where(Condition, X, Y))


@operator("take_along", x=FLOAT, places=INT64)
def _take_along(x: Tensor, places: Tensor) -> Tensor:
    return torch.gather(x, -1, places)


def _top_k(X: Tensor, K: Tensor | None, k: int) -> tuple[Any, Any]:
    # the function of this name lets no gradient through, unlike Paddle's operator
    places = op.top_k(X, k if K is None else K)[1]
    return op.take_along(X, places), places


route("top_k", _top_k)


def _position(name: str, X: Tensor, axis: int, keepdims: bool, dtype: int) -> Any:
    places = getattr(op, name)(X, axis)
    if keepdims:
        places = op.unsqueeze2(places, [axis if axis >= 0 else axis + X.dim()])
    return places if dtype < 0 else op.cast(places, dtype)


route("arg_max", lambda X, axis, keepdims, dtype: _position("arg_max", X, axis, keepdims, dtype))
route("arg_min", lambda X, axis, keepdims, dtype: _position("arg_min", X, axis, keepdims, dtype))


def _one_hot(name: str, X: Tensor, depth: Any, dtype: int, allow_out_of_range: bool) -> Any:
    vectors = getattr(op, name)(X, depth, allow_out_of_range)
    return vectors if vectors.dtype == dtype else op.cast(vectors, dtype)


for _name in ("one_hot", "one_hot_v2"):
    route(
        _name,
        lambda X, depth_tensor, depth, dtype, allow_out_of_range, _name=_name: _one_hot(
            _name, X, depth if depth_tensor is None else depth_tensor, dtype, allow_out_of_range
        ),
    )
