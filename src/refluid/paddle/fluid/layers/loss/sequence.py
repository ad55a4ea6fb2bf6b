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


@operator("warpctc", input=FLOAT, label=INTEGER, input_length=INT64, label_length=INT64)
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
        shared = x / times.to(x.dtype).reshape(1, -1, 1)
        x = shared + (x - shared).detach()
    loss = functional.ctc_loss(
        functional.log_softmax(x, 2), label, times, label_length.reshape(-1), blank, "none", True
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

    Same as Paddle 1.8. Source: Levenshtein 1966.

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
    rows = _rows(input, input_length, ignored_tokens)
    truths = _rows(label, label_length, ignored_tokens)
    if len(rows) != len(truths):
        raise EnforceNotMet(
            f"edit_distance: `input` and `label` must have one batch size, but received "
            f"{list(input.size())} and {list(label.size())}."
        )
    distances = []
    for row, truth in zip(rows, truths, strict=True):
        distance = float(_distance(row, truth))
        if normalized:
            if not truth:
                raise EnforceNotMet("edit_distance: `normalized` needs labels that are not empty.")
            distance /= len(truth)
        distances.append([distance])
    device = input.device
    return torch.tensor(distances, device=device), torch.tensor([len(rows)], device=device)


def _rows(values: Tensor, lengths: Tensor | None, ignored: Sequence[int] | None) -> list[list[int]]:
    flat = values.reshape(values.size(0), -1).tolist()
    ends = [len(row) for row in flat] if lengths is None else lengths.reshape(-1).tolist()
    dropped = set(ignored or ())
    return [[n for n in row[:end] if n not in dropped] for row, end in zip(flat, ends, strict=True)]


def _distance(one: list[int], two: list[int]) -> int:
    line = list(range(len(two) + 1))
    for row, first in enumerate(one, start=1):
        corner, line[0] = line[0], row
        for column, second in enumerate(two, start=1):
            corner, line[column] = (
                line[column],
                min(line[column] + 1, line[column - 1] + 1, corner + (first != second)),
            )
    return line[-1]
