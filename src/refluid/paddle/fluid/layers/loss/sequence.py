"""Losses of sequences. B batch, T time, C classes.

May import: torch, core_avx.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, INTEGER, operator, optional

__all__ = ["edit_distance", "warpctc"]


@operator(
    "warpctc", direct=True, input=FLOAT, label=INTEGER, input_length=INT64, label_length=INT64
)
def warpctc(
    input: Tensor,
    label: Tensor,
    blank: int = 0,
    norm_by_times: bool = False,
    input_length: Tensor | None = None,
    label_length: Tensor | None = None,
) -> Tensor:
    """Return -log of the probability of a sequence of labels, wherever they stand in time.

    Same as Paddle 1.8. Source: Graves et al. 2006 (CTC).

    Args:
        input: float [T, B, C], scores; softmax is applied.
        label: int32 [B, L].
        blank: the class that stands for no label.
        norm_by_times: divide the gradient by the length of the sequence.
        input_length: int64 [B], lengths in time.
        label_length: int64 [B], numbers of labels.

    Returns:
        [B, 1]; 0 for labels that do not fit into the time.
    """
    if input_length is None or label_length is None or input.dim() != 3:
        raise EnforceNotMet(
            "warpctc: `input` must be [T, B, C], and `input_length` and `label_length` be given "
            f"in the dynamic graph, but received {list(input.size())}."
        )
    x, times = input, input_length.reshape(-1)
    if norm_by_times:
        # the values of the input, the gradient of the quotient
        shared = torch.div(input, times.type_as(input).reshape(1, -1, 1))
        x = shared + torch.detach(torch.sub(input, shared))
    loss = functional.ctc_loss(
        torch.log_softmax(x, 2), label, times, label_length.reshape(-1), blank, "none", True
    )
    return loss.unsqueeze(1)


@operator(
    "edit_distance",
    input=INT64,
    label=INT64,
    input_length=optional(INT64),
    label_length=optional(INT64),
)
def edit_distance(
    input: Tensor,
    label: Tensor,
    normalized: bool = True,
    ignored_tokens: Sequence[int] | None = None,
    input_length: Tensor | None = None,
    label_length: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return how many insertions, deletions and substitutions lead from one sequence to another.

    Same as Paddle 1.8. Source: Levenshtein 1966, Myers 1999, Hyyro 2003.

    Args:
        input: int64 [B, T], or [B, T, 1].
        label: int64 [B, L], or [B, L, 1].
        normalized: divide by the length of the label.
        ignored_tokens: numbers that are dropped before.
        input_length: int64 [B]; by default T.
        label_length: int64 [B]; by default L.

    Returns:
        float32 [B, 1], and B as int64 [1].
    """
    rows = _kept("input", input, input_length, ignored_tokens)
    truths = _kept("label", label, label_length, ignored_tokens)
    if len(rows) != len(truths):
        raise EnforceNotMet(
            f"edit_distance: `input` and `label` must have one batch size, but received "
            f"{list(input.size())} and {list(label.size())}."
        )
    distances = [[float(_distance(*pair))] for pair in zip(rows, truths, strict=True)]
    if normalized:
        if not all(truths):
            raise EnforceNotMet("edit_distance: `normalized` needs labels that are not empty.")
        distances = [[d / len(t)] for (d,), t in zip(distances, truths, strict=True)]
    column = torch.tensor(distances, dtype=torch.float32, device=input.device)
    return column.reshape(-1, 1), torch.tensor([len(rows)], device=input.device)


def _kept(
    name: str, values: Tensor, lengths: Tensor | None, ignored: Sequence[int] | None
) -> list[list[int]]:
    """Return the sequences without what is ignored."""
    rows = values.reshape(values.size(0), -1).tolist()
    if lengths is not None:
        if lengths.numel() != len(rows):
            raise EnforceNotMet(
                f"edit_distance: `{name}_length` must have {len(rows)} elements, one for each of "
                f"`{name}`, but received shape {list(lengths.size())}."
            )
        ends = lengths.reshape(-1).tolist()
        rows = [row[: max(end, 0)] for row, end in zip(rows, ends, strict=True)]
    if ignored:
        dropped = set(ignored)
        rows = [[n for n in row if n not in dropped] for row in rows]
    return rows


def _distance(one: list[int], two: list[int]) -> int:
    """Return the distance of two sequences.

    In the table of distances of all beginnings, neighbours differ by 1 at most. So a column of it
    is two whole numbers, whose bits say where it rises and where it falls: all of a column follow
    at once from the one before, which for small steps no tensor does as fast.
    """
    if not one:
        return len(two)
    places: dict[int, int] = {}
    for k, n in enumerate(one):
        places[n] = places.get(n, 0) | 1 << k
    every, last = (1 << len(one)) - 1, 1 << len(one) - 1
    # from row to row, the column rises by 1 or falls by 1
    rises, falls, distance = every, 0, len(one)
    for n in two:
        same = places.get(n, 0)
        corner = (((same & rises) + rises) ^ rises) | same | falls
        # from column to column, the row does
        up, down = falls | (every & ~(corner | rises)), corner & rises
        distance += bool(up & last) - bool(down & last)
        up, down = up << 1 | 1, down << 1
        rises, falls = (down | ~(corner | up)) & every, up & corner & every
    return distance
