"""Measures of segmentations and of chunks. B batch, T length, C classes.

May import: torch, core_avx.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import INT64, INTEGER, operator, optional

__all__ = ["chunk_eval", "mean_iou"]


@operator("mean_iou", input=INTEGER, label=INTEGER)
def mean_iou(input: Tensor, label: Tensor, num_classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return how far predicted and true areas overlap, the mean over the classes that occur.

    Same as Paddle 1.8.

    Args:
        input: int32 or int64 of any shape, predicted classes.
        label: the same shape, true classes.
        num_classes: C; other numbers count for nothing.

    Returns:
        Intersection over union, float32 [1]; how many places of each class are wrong, int32 [C];
        how many are right, int32 [C].
    """
    predicted, true = input.reshape(-1).long(), label.reshape(-1).long()
    correct = _count(true[predicted == true], num_classes)
    wrong = _count(predicted, num_classes) + _count(true, num_classes) - 2 * correct
    union = correct + wrong
    share = (correct / union.clamp(min=1)).sum() / (union > 0).sum().clamp(min=1)
    return share.unsqueeze(0), wrong.int(), correct.int()


def _count(classes: Tensor, num_classes: int) -> Tensor:
    """Return how often each class occurs; numbers that are no class count for nothing."""
    inside = classes[(classes >= 0) & (classes < num_classes)]
    return torch.bincount(inside, minlength=num_classes)


# the tags of each scheme in the order of their numbers
_SCHEMES = {"IOB": "BI", "IOE": "IE", "IOBES": "BIES", "plain": "I"}


@operator("chunk_eval", input=INT64, label=INT64, seq_length=optional(INT64))
def chunk_eval(
    input: Tensor,
    label: Tensor,
    chunk_scheme: str,
    num_chunk_types: int,
    excluded_chunk_types: Sequence[int] | None = None,
    seq_length: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Compare predicted chunks of sequences with true ones.

    Same as Paddle 1.8.

    Args:
        input: int64 [B, T] or [B, T, 1], predicted tags: type * number of tags + tag; a number
            beyond all types lies outside of chunks.
        label: likewise, true tags.
        chunk_scheme: "IOB", "IOE", "IOBES" or "plain".
        num_chunk_types: how many types of chunks there are.
        excluded_chunk_types: types that do not count.
        seq_length: int64 [B], lengths of the sequences.

    Returns:
        Precision, recall and F1, float32 [1]; the numbers of predicted, true and correctly
        predicted chunks, int64 [1].

    Raises:
        EnforceNotMet: `chunk_scheme` is none of these, or `seq_length` is missing.
    """
    if chunk_scheme not in _SCHEMES:
        raise EnforceNotMet(
            f"chunk_eval: `chunk_scheme` must be one of {', '.join(_SCHEMES)}, but received "
            f"{chunk_scheme!r}."
        )
    if seq_length is None:
        raise EnforceNotMet("chunk_eval: `seq_length` must be given in the dynamic graph.")
    tags, excluded = _SCHEMES[chunk_scheme], set(excluded_chunk_types or ())
    lengths = seq_length.reshape(-1).tolist()
    found, true = (
        {
            (number, *chunk)
            for number, (row, length) in enumerate(zip(rows, lengths, strict=True))
            for chunk in _chunks(row[:length], tags, num_chunk_types)
            if chunk[2] not in excluded
        }
        for rows in (tensor.reshape(len(lengths), -1).tolist() for tensor in (input, label))
    )
    predicted, real, right = len(found), len(true), len(found & true)
    precision = right / predicted if predicted else 0.0
    recall = right / real if real else 0.0
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    measures = precision, recall, f1, predicted, real, right
    return tuple(torch.tensor([value], device=input.device) for value in measures)


def _chunks(numbers: list[int], tags: str, num_types: int) -> list[tuple[int, int, int]]:
    """Return (first place, place behind the last, type) of each chunk in a sequence of tags."""
    count, outside = len(tags), len(tags) * num_types
    ends, begins = [tag in "ES" for tag in tags], [tag in "BS" for tag in tags]
    chunks: list[tuple[int, int, int]] = []
    begin, before, ended = 0, num_types, False
    for place, value in enumerate([*numbers, outside]):
        kind, tag = divmod(value, count) if value < outside else (num_types, 0)
        if ended or kind != before or begins[tag]:
            if before != num_types:
                chunks.append((begin, place, before))
            begin, before = place, kind
        ended = ends[tag]
    return chunks
