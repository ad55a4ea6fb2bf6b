"""Functions that pick elements by number or by rank, and put them back.

May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.function import Function
from refluid.paddle.fluid.core_avx.operator import ANY, FLOAT, INTEGER, NUMBER, many, operator
from refluid.paddle.fluid.layers.argument import axis_of, integers, size_of

__all__ = [
    "gather",
    "gather_nd",
    "index_sample",
    "index_select",
    "multiplex",
    "nonzero",
    "scatter",
    "scatter_nd",
    "scatter_nd_add",
    "slice",
    "strided_slice",
    "where",
]


@operator("slice", view=True, direct=True, input=ANY)
def slice(input: Tensor, axes: Sequence[int], starts: Sequence[int], ends: Sequence[int]) -> Tensor:
    """Return the elements from starts[k] to before ends[k] along dimension axes[k].

    Same as Paddle 1.8: negative positions count from the end, those outside are moved inside.

    Raises:
        TypeError: one of the three is not a list of ints.
        EnforceNotMet: they do not fit together, or nothing lies between.
    """
    begins, stops = integers("slice", "starts", starts), integers("slice", "ends", ends)
    dims = [axis_of("slice", "axes", a, input.dim()) for a in integers("slice", "axes", axes)]
    if not len(dims) == len(begins) == len(stops):
        raise EnforceNotMet(
            f"slice: `axes`, `starts` and `ends` must have one length, but received {axes}, "
            f"{starts} and {ends}."
        )
    part = input
    for dim, begin, stop in zip(dims, begins, stops, strict=True):
        length = part.size(dim)
        low, high = _within(begin, length), _within(stop, length)
        if low >= high:
            raise EnforceNotMet(
                f"slice: nothing lies between {begin} and {stop} in dimension {dim} of `input` "
                f"{list(part.size())}."
            )
        part = torch.narrow(part, dim, low, high - low)
    return part if dims else torch.clone(input)


def _within(position: int, length: int) -> int:
    position = position + length if position < 0 else position
    return min(max(position, 0), length)


@operator("strided_slice", direct=True, input=ANY)
def strided_slice(
    input: Tensor,
    axes: Sequence[int],
    starts: Sequence[int],
    ends: Sequence[int],
    strides: Sequence[int],
) -> Tensor:
    """Return every strides[k]-th element from starts[k] to before ends[k] along axes[k].

    Same as Paddle 1.8: negative strides go backwards.
    """
    given = [axes, starts, ends, strides]
    names = ["axes", "starts", "ends", "strides"]
    lists = [integers("strided_slice", n, v) for n, v in zip(names, given, strict=True)]
    if not (len({len(v) for v in lists}) == 1 and 0 not in lists[3]):
        raise EnforceNotMet(
            "strided_slice: `axes`, `starts`, `ends` and `strides` must have one length, and no "
            f"stride may be 0, but received {', '.join(map(str, lists))}."
        )
    part = input
    for axis, start, end, stride in zip(*lists, strict=True):
        dim = axis_of("strided_slice", "axes", axis, part.dim())
        length = part.size(dim)
        if stride < 0 and end < -length:
            end = None
        span = range(length)[start:end:stride]
        if len(span) <= 0:
            raise EnforceNotMet(f"strided_slice: [{start}:{end}:{stride}] is empty in {length}.")
        positions = torch.arange(span.start, span.stop, span.step, device=part.device)
        part = torch.index_select(part, dim, positions)
    return part if lists[0] else torch.clone(input)


@operator("gather", direct=True, input=ANY, index=INTEGER)
def gather(input: Tensor, index: Tensor, overwrite: bool = True) -> Tensor:
    """Return the rows of `input` whose numbers are in `index`.

    Differs from Paddle: a number out of range is an error, not a row of whatever is there.

    Args:
        input: [N, ...].
        index: int32 or int64, [M] or [M, 1].
        overwrite: of a row taken more than once, the gradient is that of the last time; False
            adds them up.

    Returns:
        [M, ...].
    """
    if index.dim() != 1:
        if not (index.dim() == 2 and index.size(1) == 1):
            raise EnforceNotMet(
                f"gather: `index` must be [M] or [M, 1], but received {list(index.size())}."
            )
        index = torch.squeeze(index, 1)
    if overwrite and input.requires_grad and torch.is_grad_enabled():
        return _LastGather.apply(input, index)
    return torch.index_select(input, 0, index)


class _LastGather(Function):
    """Rows by number, whose gradient is that of the last place where a row was put."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.num_rows = input.size(0)
        return torch.index_select(input, 0, rows)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        rows = ctx.saved_tensors[0].long()
        zeros = grad.new_zeros(ctx.num_rows, *grad.size()[1:])
        return torch.index_copy(zeros, 0, rows, _latest(grad, rows, ctx.num_rows)), None


def _latest(updates: Tensor, rows: Tensor, num_rows: int) -> Tensor:
    """Return for each of `rows` the last update of that row, so that their order is all one."""
    places = torch.arange(rows.size(0), device=rows.device)
    last = rows.new_zeros(num_rows).scatter_reduce_(0, rows, places, "amax")
    return torch.index_select(updates, 0, torch.index_select(last, 0, rows))


def _positions(op_type: str, index: Tensor, sizes: Sequence[int]) -> tuple[Tensor, ...]:
    depth = index.size(-1)
    if depth > len(sizes):
        raise EnforceNotMet(
            f"{op_type}: the last dimension of `index` {list(index.size())} must not be above the "
            f"{len(sizes)} dimensions of {list(sizes)}."
        )
    return torch.unbind(index.long(), -1)


@operator("gather_nd", direct=True, input=ANY, index=INTEGER)
def gather_nd(input: Tensor, index: Tensor, name: str | None = None) -> Tensor:
    """Return the elements, or parts, of `input` at the positions in the last dimension of `index`.

    Same as Paddle 1.8.

    Args:
        input: [N_1, ..., N_R].
        index: int32 or int64 [..., D], D up to R.
        name: accepted for compatibility.

    Returns:
        index.shape[:-1] + input.shape[D:].
    """
    if index.size(-1) == 0:
        return torch.broadcast_to(input, (*index.size()[:-1], *input.size())).clone()
    result = Tensor.__getitem__(input, _positions("gather_nd", index, input.size()))
    return result if result.dim() else torch.unsqueeze(result, 0)


@operator("scatter", direct=True, input=FLOAT, index=INTEGER, updates=FLOAT)
def scatter(
    input: Tensor,
    index: Tensor,
    updates: Tensor,
    name: str | None = None,
    overwrite: bool = True,
) -> Tensor:
    """Return `input` with the rows numbered by `index` replaced by those of `updates`.

    Same as Paddle 1.8.

    Args:
        input: [N, ...].
        index: int32 or int64 [M].
        updates: [M, ...].
        name: accepted for compatibility.
        overwrite: False sets the rows to 0 and then adds the updates, repeated ones too.

    The gradient of `input` is the whole gradient of the result, replaced rows included.
    """
    rows = (index if index.dim() == 1 else torch.reshape(index, (-1,))).long()
    if not (updates.dim() == input.dim() and updates.size(0) == rows.size(0)):
        raise EnforceNotMet(
            f"scatter: `updates` must have {rows.size(0)} rows like `index`, and the dimensions of "
            f"`input` {list(input.size())}, but received {list(updates.size())}."
        )
    # the gradients are those of a sum
    result, values = torch.index_add(input, 0, rows, updates), torch.detach(updates)
    if overwrite:
        result.data.index_copy_(0, rows, _latest(values, rows, input.size(0)))
    else:
        result.data.index_fill_(0, rows, 0.0).index_add_(0, rows, values)
    return result


@operator("scatter_nd_add", direct=True, ref=FLOAT, index=INTEGER, updates=FLOAT)
def scatter_nd_add(ref: Tensor, index: Tensor, updates: Tensor, name: str | None = None) -> Tensor:
    """Return `ref` with `updates` added at the positions in the last dimension of `index`.

    Same as Paddle 1.8; repeated positions add up.
    """
    positions = _positions("scatter_nd_add", index, ref.size())
    return torch.index_put(ref, positions, updates, accumulate=True)


@operator("scatter_nd", direct=True, index=INTEGER, updates=FLOAT)
def scatter_nd(
    index: Tensor, updates: Tensor, shape: Sequence[int], name: str | None = None
) -> Tensor:
    """Return zeros of `shape` with `updates` added at the positions of `index`.

    Same as Paddle 1.8.
    """
    sizes = size_of("scatter_nd", "shape", shape)
    return torch.index_put(
        updates.new_zeros(sizes), _positions("scatter_nd", index, sizes), updates, accumulate=True
    )


@operator("index_select", direct=True, input=NUMBER, index=INTEGER)
def index_select(input: Tensor, index: Tensor, dim: int = 0) -> Tensor:
    """Return the parts numbered by `index` [M] along the dimension `dim`. Same as Paddle 1.8."""
    return torch.index_select(input, axis_of("index_select", "dim", dim, input.dim()), index)


@operator("index_sample", direct=True, x=NUMBER, index=INTEGER)
def index_sample(x: Tensor, index: Tensor) -> Tensor:
    """Return from row b of x [B, N] the elements numbered by row b of `index` [B, M].

    Same as Paddle 1.8.
    """
    return torch.gather(x, 1, index.long())


@operator("multiplex", direct=True, inputs=many(NUMBER), index=INTEGER)
def multiplex(inputs: Sequence[Tensor], index: Tensor) -> Tensor:
    """Return row b of the variable numbered index[b] among `inputs`.

    Same as Paddle 1.8.

    Args:
        inputs: at least two, all [B, ...].
        index: int32 or int64 [B, 1].
    """
    if len(inputs) <= 1:
        raise EnforceNotMet("multiplex: `inputs` must be a list of at least two Variables.")
    rows = torch.arange(index.size(0), device=index.device)
    stacked = torch.stack(list(inputs))
    return stacked[index.long().reshape(-1), rows]


@operator("where_index", direct=True, condition=ANY)
def where(condition: Tensor) -> Tensor:
    """Return the positions of what is True or not 0, int64 [number of them, rank].

    Same as Paddle 1.8.
    """
    return torch.nonzero(condition)


@operator("nonzero", direct=True, input=ANY)
def nonzero(input: Tensor, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """Return the positions of elements other than 0, int64 [number of them, rank].

    Same as Paddle 1.8; with `as_tuple` one [number of them, 1] for each dimension.
    """
    found = torch.nonzero(input)
    if not as_tuple:
        return found
    return tuple(torch.clone(column) for column in torch.split(found, 1, 1))
