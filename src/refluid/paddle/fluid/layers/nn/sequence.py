"""Functions of sequences in ordinary variables. B batch, T time, D size of a vector.

May import: torch, core_avx, layer_helper, layers.nn.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, NUMBER, operator, optional
from refluid.paddle.fluid.core_avx.ops.activation import activate, check_act
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layer_helper import LayerHelper
from refluid.paddle.fluid.layers.nn.connect import check_variable

__all__ = ["add_position_encoding", "ctc_greedy_decoder", "gather_tree", "row_conv"]


@operator("add_position_encoding", input=FLOAT)
def add_position_encoding(
    input: Tensor, alpha: float, beta: float, name: str | None = None
) -> Tensor:
    """Return alpha * input + beta * sines and cosines of the position.

    Same as Paddle 1.8. Source: Vaswani et al. 2017.

    Args:
        input: float [B, T, D], D even.
        alpha: multiplies the input.
        beta: multiplies the waves, sines in the first half of D, cosines in the second.
        name: accepted for compatibility.
    """
    if input.dim() != 3 or input.size(2) % 2:
        raise EnforceNotMet(
            f"add_position_encoding: `input` must be [B, T, D] with D even, but received "
            f"{list(input.size())}."
        )
    length, half = input.size(1), input.size(2) // 2
    waves = _waves(length, half, input.device)
    return input * alpha + (waves * beta).to(input.dtype)


@functools.lru_cache(maxsize=8)
def _waves(length: int, half: int, device: torch.device) -> Tensor:
    """Return float64 [T, D]: sines, then cosines, of D / 2 frequencies."""
    places = torch.arange(length, device=device, dtype=torch.float64).unsqueeze(1)
    if half > 1:
        steps = torch.arange(half, device=device, dtype=torch.float64) / (half - 1)
        angles = places / torch.pow(10000.0, steps)
    else:
        angles = places / 10000.0
    return torch.cat([torch.sin(angles), torch.cos(angles)], 1)


def row_conv(
    input: VarBase, future_context_size: int, param_attr: Any = None, act: str | None = None
) -> VarBase:
    """Weigh each step with those after it, each column by itself, with new weights.

    Same as Paddle 1.8. Source: Amodei et al. 2016 (Deep Speech 2).

    Args:
        input: float [B, T, D].
        future_context_size: how many steps after the own one count.
        param_attr: attributes of the weight [future_context_size + 1, D].
        act: name of an activation.
    """
    width = check_variable("row_conv", "input", input).shape[-1]
    weight = LayerHelper("row_conv").create_weight(
        param_attr, [future_context_size + 1, width], input.dtype
    )
    return _row_conv(input, weight, check_act(act))


@operator("row_conv", input=FLOAT, weight=FLOAT)
def _row_conv(input: Tensor, weight: Tensor, act: str | None) -> Tensor:
    length = input.size(1)
    total = input * weight[0]
    for step in range(1, min(weight.size(0), length)):
        ahead = torch.zeros_like(input[:, :step])
        total = total + torch.cat([input[:, step:], ahead], 1) * weight[step]
    return activate(total, act)


@operator("gather_tree", ids=NUMBER, parents=NUMBER)
def gather_tree(ids: Tensor, parents: Tensor) -> Tensor:
    """Follow the beams of a search back from their last step.

    Same as Paddle 1.8.

    Args:
        ids: int32 or int64 [T, B, number of beams], what was chosen at each step.
        parents: the same shape, the beam of the step before that each one continues.

    Returns:
        The shape of `ids`: along T the whole path of each beam.
    """
    if ids.size() != parents.size() or ids.dim() != 3:
        raise EnforceNotMet(
            "gather_tree: `ids` and `parents` must both be [T, B, number of beams], but received "
            f"{list(ids.size())} and {list(parents.size())}."
        )
    path = [ids[-1]]
    beam = parents[-1].long()
    for step in range(ids.size(0) - 2, -1, -1):
        path.append(torch.gather(ids[step], 1, beam))
        beam = torch.gather(parents[step].long(), 1, beam)
    return torch.stack(path[::-1])


@operator("ctc_greedy_decoder", input=FLOAT, input_length=optional(INT64))
def ctc_greedy_decoder(
    input: Tensor,
    blank: int,
    input_length: Tensor | None = None,
    padding_value: int = 0,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Take the most probable class of each step, merge repeated ones, drop blanks.

    Same as Paddle 1.8.

    Args:
        input: float [B, T, number of classes and the blank].
        blank: the class that stands for nothing.
        input_length: int64 [B, 1], lengths of the sequences.
        padding_value: fills the rows behind what was decoded.
        name: accepted for compatibility.

    Returns:
        int64 [B, T], and the lengths of what was decoded, int64 [B, 1].

    Raises:
        EnforceNotMet: `input_length` is missing, or the shapes do not fit.
    """
    if input_length is None or input.dim() != 3 or input_length.numel() != input.size(0):
        raise EnforceNotMet(
            "ctc_greedy_decoder: `input` must be [B, T, C] and `input_length` [B, 1] in the "
            f"dynamic graph, but received {list(input.size())} and "
            f"{input_length if input_length is None else list(input_length.size())}."
        )
    best = input.argmax(2)
    before = functional.pad(best, (1, 0), value=-1)[:, :-1]
    places = torch.arange(best.size(1), device=best.device)
    kept = (best != before) & (best != blank) & (places < input_length.reshape(-1, 1))
    counts = kept.sum(1, keepdim=True)
    decoded = torch.full_like(best, padding_value)
    return decoded.masked_scatter_(places < counts, best[kept]), counts
