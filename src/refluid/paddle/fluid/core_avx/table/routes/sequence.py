"""Sequences in ordinary variables, and steps of recurrent networks. B batch, T time.

May import: torch, core_avx.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, INTEGER, operator
from refluid.paddle.fluid.core_avx.table.route import op, route

__all__: list[str] = []

route("add_position_encoding", lambda X, alpha, beta: op.add_position_encoding(X, alpha, beta))
route("gather_tree", lambda Ids, Parents: op.gather_tree(Ids, Parents))
route("lstm_unit", lambda X, C_prev, forget_bias: op.lstm_unit(X, C_prev, forget_bias))
route(
    "sequence_mask",
    lambda X, MaxLenTensor, maxlen, out_dtype: op.sequence_mask(
        X, _length(MaxLenTensor, maxlen), out_dtype
    ),
)
route(
    "warpctc",
    lambda Logits, Label, LogitsLength, LabelLength, blank, norm_by_times: op.warpctc(
        Logits, Label, blank, norm_by_times, LogitsLength, LabelLength
    ),
)


def _length(variable: Tensor | None, otherwise: int) -> int | None:
    length = otherwise if variable is None else int(variable.item())
    return None if length < 0 else length


def _gru_unit(
    Input: Tensor,
    HiddenPrev: Tensor,
    Weight: Tensor,
    Bias: Tensor | None,
    activation: int,
    gate_activation: int,
    origin_mode: bool,
) -> dict[str, Any]:
    gates, reset, state = op.gru_unit(
        Input, HiddenPrev, Weight, Bias, activation, gate_activation, origin_mode
    )
    return {"Gate": gates, "ResetHiddenPrev": reset, "Hidden": state}


route("gru_unit", _gru_unit)


def _linear_chain_crf(
    Emission: Tensor, Transition: Tensor, Label: Tensor, Length: Tensor | None
) -> Any:
    if Length is None or Emission.dim() != 3:
        raise EnforceNotMet(
            "linear_chain_crf: `Emission` must be [B, T, C] and `Length` be given in the dynamic "
            f"graph, but received {list(Emission.size())}."
        )
    return op.linear_chain_crf(Emission, Label, Transition, Length)


route("linear_chain_crf", _linear_chain_crf)


@operator("ctc_align", input=INTEGER, lengths=INTEGER)
def _align(
    input: Tensor, lengths: Tensor, blank: int, merge_repeated: bool, padding_value: int
) -> tuple[Tensor, Tensor]:
    """Drop blanks, and repetitions if wanted, from the first `lengths` places of [B, T]."""
    first = torch.ones_like(input[:, :1], dtype=torch.bool)
    new = torch.cat([first, input[:, 1:] != input[:, :-1]], 1)
    places = torch.arange(input.size(1), device=input.device)
    kept = (input != blank) & (places < lengths.reshape(-1, 1))
    kept = kept & new if merge_repeated else kept
    aligned = torch.full_like(input, padding_value)
    row = torch.arange(input.size(0), device=input.device).unsqueeze(1).expand_as(input)
    aligned[row[kept], (kept.cumsum(1) - 1)[kept]] = input[kept]
    return aligned, kept.sum(1, keepdim=True, dtype=input.dtype)


def _ctc_align(
    Input: Tensor,
    InputLength: Tensor | None,
    blank: int,
    merge_repeated: bool,
    padding_value: int,
) -> dict[str, Any]:
    if InputLength is None or Input.dim() != 2:
        raise EnforceNotMet(
            "ctc_align: `Input` must be [B, T] and `InputLength` be given in the dynamic graph, "
            f"but received {list(Input.size())}."
        )
    aligned, lengths = op.ctc_align(Input, InputLength, blank, merge_repeated, padding_value)
    return {"Output": aligned, "OutputLength": lengths}


route("ctc_align", _ctc_align)


@operator("crf_decoding", emission=FLOAT, transition=FLOAT, length=INT64)
def _best_path(emission: Tensor, transition: Tensor, length: Tensor) -> Tensor:
    """Return the most probable tags [B, T] of sequences of scores [B, T, C], 0 behind their ends.

    The first two rows of `transition` are scores of a tag at the start and at the end, the others
    of a tag after each tag. Source: Viterbi 1967.
    """
    batch, time, classes = emission.size()
    if list(transition.size()) != [classes + 2, classes] or length.numel() != batch:
        raise EnforceNotMet(
            f"crf_decoding: `Transition` must be {[classes + 2, classes]} and `Length` [{batch}, "
            f"1], but received {list(transition.size())} and {list(length.size())}."
        )
    scores = emission.detach()
    start, end, change = torch.split(transition.detach(), [1, 1, classes])
    places = torch.arange(time, device=emission.device)
    within = places < length.reshape(-1, 1)
    total, before = start + scores[:, 0], []
    for step in range(1, time):
        ahead, best = torch.max(total.unsqueeze(2) + change, 1)
        inside = within[:, step, None]
        total = torch.where(inside, ahead + scores[:, step], total)
        # behind its end a sequence stays at its last tag
        before.append(torch.where(inside, best, torch.arange(classes, device=emission.device)))
    path = [torch.argmax(total + end, 1, keepdim=True)]
    for best in reversed(before):
        path.append(torch.gather(best, 1, path[-1]))
    return torch.where(within, torch.cat(path[::-1], 1), 0)


def _crf_decoding(
    Emission: Tensor, Transition: Tensor, Label: Tensor | None, Length: Tensor | None
) -> Any:
    if Length is None or Emission.dim() != 3:
        raise EnforceNotMet(
            "crf_decoding: `Emission` must be [B, T, C] and `Length` be given in the dynamic "
            f"graph, but received {list(Emission.size())}."
        )
    path = op.crf_decoding(Emission, Transition, Length)
    if Label is None:
        return path
    # where the path is right, and 0 behind the ends
    right = op.equal(path, op.reshape2(Label, path.shape))
    within = op.sequence_mask(op.reshape2(Length, [-1]), path.shape[1], "bool")
    return op.cast(op.logical_and(right, within), "int64")


route("crf_decoding", _crf_decoding)
