"""Losses of sequences. B batch, T time, C classes.

May import: torch, numpy, core_avx.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, INTEGER, operator, optional

__all__ = ["edit_distance", "warpctc"]

Array = npt.NDArray[Any]


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
    rows, num_in_row = _kept("input", input, input_length, ignored_tokens)
    truths, num_in_truth = _kept("label", label, label_length, ignored_tokens)
    if len(rows) != len(truths):
        raise EnforceNotMet(
            f"edit_distance: `input` and `label` must have one batch size, but received "
            f"{list(input.size())} and {list(label.size())}."
        )
    distances = _distances(rows, num_in_row, truths, num_in_truth)
    if normalized:
        if not num_in_truth.all():
            raise EnforceNotMet("edit_distance: `normalized` needs labels that are not empty.")
        distances = distances / num_in_truth
    device = input.device
    column = torch.from_numpy(distances[:, None].astype("float32")).to(device)
    return column, torch.tensor([len(rows)], device=device)


def _kept(
    name: str, values: Tensor, lengths: Tensor | None, ignored: Sequence[int] | None
) -> tuple[Array, Array]:
    """Return sequences [B, T] without what is ignored, moved to the front, and their lengths."""
    flat = values.reshape(values.size(0), -1).cpu().numpy()
    if lengths is None and not ignored:
        return flat, np.full(len(flat), flat.shape[1])
    kept = np.ones(flat.shape, bool)
    if lengths is not None:
        if lengths.numel() != len(flat):
            raise EnforceNotMet(
                f"edit_distance: `{name}_length` must have {len(flat)} elements, one for each of "
                f"`{name}`, but received shape {list(lengths.size())}."
            )
        kept &= np.arange(flat.shape[1]) < lengths.reshape(-1, 1).cpu().numpy()
    if ignored:
        kept &= ~np.isin(flat, list(ignored))
    order = np.argsort(~kept, axis=1, kind="stable")
    return np.take_along_axis(flat, order, 1), kept.sum(1)


def _distances(one: Array, num_one: Array, two: Array, num_two: Array) -> Array:
    """Return the distances [B] of sequences [B, T] and [B, L], of which the first ones count.

    A line of the table of distances follows from the one above it: from there and from the
    corner directly, and from the left as the least of what stands there, plus the way from it.
    The number of the column is left out of the table, so that this way costs nothing.
    NumPy, since the steps are small and many.
    """
    unequal = one.T[:, :, None] != two
    corner = unequal.astype(int) - 1
    table = np.zeros((len(corner) + 1, len(two), two.shape[1] + 1), int)
    for row, change in enumerate(corner):
        above = table[row]
        line = above + 1
        inner = line[:, 1:]
        np.minimum(inner, above[:, :-1] + change, out=inner)
        np.minimum.accumulate(line, axis=1, out=table[row + 1])
    return table[num_one, np.arange(len(two)), num_two] + num_two
