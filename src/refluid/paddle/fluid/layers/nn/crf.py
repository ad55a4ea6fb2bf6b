"""Conditional random fields over sequences. B batch, T time, C tags.

May import: torch, core_avx, layer_helper, layers.nn.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, INT64, operator
from refluid.paddle.fluid.core_avx.ops.index import check_index
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layer_helper import LayerHelper
from refluid.paddle.fluid.layers.nn.connect import check_variable

__all__ = ["linear_chain_crf"]


def linear_chain_crf(
    input: VarBase, label: VarBase, param_attr: Any = None, length: VarBase | None = None
) -> VarBase:
    """Return -log of the probability of a sequence of tags, with new weights.

    Same as Paddle 1.8. Source: Lafferty et al. 2001.

    Args:
        input: float [B, T, C], scores of the tags.
        label: int64 [B, T], true tags.
        param_attr: attributes of the weight [C + 2, C]: scores of a tag at the start, at the end,
            and after each tag.
        length: int64 [B, 1], lengths of the sequences.

    Returns:
        [B, 1].
    """
    shape = check_variable("linear_chain_crf", "input", input).shape
    if len(shape) != 3 or length is None:
        raise EnforceNotMet(
            "linear_chain_crf: `input` must be [B, T, C] and `length` be given in the dynamic "
            f"graph, but received shape {shape}."
        )
    transition = LayerHelper("linear_chain_crf").create_weight(
        param_attr, [shape[2] + 2, shape[2]], input.dtype
    )
    return _crf(input, label, transition, length)


@operator("linear_chain_crf", input=FLOAT, label=INT64, transition=FLOAT, length=INT64)
def _crf(input: Tensor, label: Tensor, transition: Tensor, length: Tensor) -> Tensor:
    batch, time, classes = input.size()
    tags = label.reshape(batch, time)
    check_index("linear_chain_crf", "label", tags, classes)
    start, end, change = transition[0], transition[1], transition[2:]
    lengths = length.reshape(-1)
    within = torch.arange(time, device=input.device) < lengths.unsqueeze(1)
    scores = start + input[:, 0]
    for step in range(1, time):
        ahead = torch.logsumexp(scores.unsqueeze(2) + change, 1) + input[:, step]
        scores = torch.where(within[:, step, None], ahead, scores)
    total = torch.logsumexp(scores + end, 1)
    own = torch.gather(input, 2, tags.unsqueeze(2)).squeeze(2)
    own = torch.where(within, own, 0.0).sum(1) + start[tags[:, 0]]
    steps = torch.where(within[:, 1:], change[tags[:, :-1], tags[:, 1:]], 0.0).sum(1)
    last = torch.gather(tags, 1, (lengths - 1).unsqueeze(1)).squeeze(1)
    return (total - own - steps - end[last]).unsqueeze(1)
