"""Functions of sizes, and of elements by rank or by kind.

May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.dtype import to_torch_dtype
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import ANY, FLOAT, INTEGER, NUMBER, operator
from refluid.paddle.fluid.core_avx.ops.index import check_index
from refluid.paddle.fluid.layers.argument import number

__all__ = [
    "one_hot",
    "rank",
    "shape",
    "shard_index",
    "size",
    "topk",
    "unique",
    "unique_with_counts",
]


@operator("shape", direct=True, input=ANY)
def shape(input: Tensor) -> Tensor:
    """Return the sizes as int32 [rank]. Same as Paddle 1.8."""
    return torch.tensor(input.size(), dtype=torch.int32, device=input.device)


@operator("rank", direct=True, input=ANY)
def rank(input: Tensor) -> Tensor:
    """Return the number of dimensions, an int32 of shape []. Same as Paddle 1.8."""
    return torch.tensor(input.dim(), dtype=torch.int32, device=input.device)


@operator("size", direct=True, input=ANY)
def size(input: Tensor) -> Tensor:
    """Return the number of elements, int64 [1]. Same as Paddle 1.8."""
    return torch.tensor([input.numel()], device=input.device)


@operator("one_hot", direct=True, input=INTEGER)
def one_hot(input: Tensor, depth: int | Tensor, allow_out_of_range: bool = False) -> Tensor:
    """Return vectors of zeros with a 1 at each number of `input`.

    Same as Paddle 1.8; `fluid.one_hot` does not need the last dimension.

    Args:
        input: int32 or int64 [..., 1].
        depth: length of the vectors, an int or a Variable of shape [1].
        allow_out_of_range: give zeros for numbers outside [0, depth) instead of an error.

    Returns:
        float32 [..., depth].
    """
    if not (input.dim() > 1 and input.size(-1) == 1):
        raise EnforceNotMet(
            f"one_hot: `input` must be [..., 1] with at least two dimensions, but received "
            f"{list(input.size())}; fluid.one_hot takes any shape."
        )
    return hot_vectors(torch.squeeze(input, -1), int(number(depth)), allow_out_of_range)


def hot_vectors(ids: Tensor, depth: int, allow_out_of_range: bool) -> Tensor:
    """Return float32 [..., depth] with a 1 at each of `ids`.

    Raises:
        EnforceNotMet: one is outside [0, depth) and `allow_out_of_range` is False.
    """
    result = torch.zeros((*ids.size(), depth), device=ids.device)
    if allow_out_of_range:
        inside = (ids >= 0) & (ids < depth)
        numbers = torch.where(inside, ids, 0).long().unsqueeze(-1)
        return result.scatter_(-1, numbers, inside.float().unsqueeze(-1))
    if ids.is_cuda:
        check_index("one_hot", "input", ids, depth)
    try:
        # on the CPU torch looks at every number itself
        return result.scatter_(-1, ids.long().unsqueeze(-1), 1.0)
    except RuntimeError:
        check_index("one_hot", "input", ids, depth)
        raise


@operator("top_k", direct=True, input=FLOAT)
def topk(input: Tensor, k: int | Tensor, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Return the k largest elements along the last dimension, and their positions.

    Same as Paddle 1.8: equal elements come in the order of their positions, and no gradient flows.

    Args:
        input: [..., N].
        k: from 1 to N, an int or a Variable of shape [1].
        name: accepted for compatibility.

    Returns:
        The elements [..., k], and their positions, int64 [..., k].
    """
    k = int(number(k))
    if not (input.dim() > 0 and 1 <= k <= input.size(-1)):
        raise EnforceNotMet(
            f"topk: `k` must lie in [1, N] for `input` [..., N] {list(input.size())}, but received "
            f"{k}."
        )
    values = torch.detach(input)
    if k == 1:
        best, positions = torch.max(values, -1, keepdim=True)
        return best, positions
    # torch.topk does not promise the order of equal elements
    best, positions = torch.sort(values, dim=-1, descending=True, stable=True)
    return torch.narrow(best, -1, 0, k).clone(), torch.narrow(positions, -1, 0, k).clone()


@operator("unique", direct=True, x=NUMBER)
def unique(x: Tensor, dtype: str = "int32") -> tuple[Tensor, Tensor]:
    """Return the different elements in the order of their first appearance.

    Same as Paddle 1.8.

    Args:
        x: [N].
        dtype: int32 or int64, of the positions.

    Returns:
        The different elements [M], and for each of x the position in them [N].
    """
    values, positions, _ = _first_appearances("unique", x)
    return values, positions.to(_index_dtype("unique", dtype))


@operator("unique_with_counts", direct=True, x=NUMBER)
def unique_with_counts(x: Tensor, dtype: str = "int32") -> tuple[Tensor, Tensor, Tensor]:
    """Return what `unique` returns, and how often each different element appears [M].

    Same as Paddle 1.8.
    """
    kind = _index_dtype("unique_with_counts", dtype)
    values, positions, counts = _first_appearances("unique_with_counts", x)
    return values, positions.to(kind), counts.to(kind)


def _index_dtype(op_type: str, dtype: object) -> torch.dtype:
    kind = to_torch_dtype(dtype)
    if kind not in (torch.int32, torch.int64):
        raise TypeError(f"{op_type}: `dtype` must be int32 or int64, but received {dtype!r}.")
    return kind


def _first_appearances(op_type: str, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    if x.dim() != 1:
        raise EnforceNotMet(f"{op_type}: `x` must be [N], but received {list(x.size())}.")
    found, inverse, counts = torch.unique(torch.detach(x), return_inverse=True, return_counts=True)
    places = torch.arange(x.numel(), device=x.device)
    first = torch.full_like(counts, x.numel()).scatter_reduce_(0, inverse, places, "amin")
    order = torch.argsort(first)
    # the order of the order says where each one went
    positions = torch.argsort(order).index_select(0, inverse)
    return found.index_select(0, order), positions, counts.index_select(0, order)


@operator("shard_index", input=INTEGER)
def shard_index(
    input: Tensor, index_num: int, nshards: int, shard_id: int, ignore_value: int = -1
) -> Tensor:
    """Turn numbers of the whole into numbers within one shard; those of others become a constant.

    Same as Paddle 1.8.

    Args:
        input: int32 or int64 [..., 1].
        index_num: how many numbers there are in all shards.
        nshards: how many shards.
        shard_id: which.
        ignore_value: what the numbers of other shards become.

    Raises:
        ValueError: there is no such shard.
    """
    if not 0 <= shard_id < nshards:
        raise ValueError(
            f"shard_index: `shard_id` must lie in [0, {nshards - 1}], but received {shard_id}."
        )
    length = -(-index_num // nshards)
    mine = torch.eq(torch.div(input, length, rounding_mode="trunc"), shard_id)
    return torch.where(mine, torch.remainder(input, length), ignore_value)
