"""Dropout. Source: Srivastava et al. 2014. May import: torch, operator, random."""

from __future__ import annotations

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx import random
from refluid.paddle.fluid.core_avx.operator import FLOAT, operator

__all__ = ["IMPLEMENTATIONS", "dropout"]

IMPLEMENTATIONS = ("downgrade_in_infer", "upscale_in_train")


@operator("dropout", direct=True, input=FLOAT)
def dropout(
    input: Tensor,
    dropout_prob: float,
    seed: int | None,
    training: bool,
    dropout_implementation: str = "downgrade_in_infer",
) -> Tensor:
    """Set elements to zero at random.

    Args:
        input: float of any shape.
        dropout_prob: the share of elements that are dropped, 0 to 1.
        seed: an int for the same elements each time, those that Paddle drops on a CPU; None for
            others each time.
        training: drop; otherwise compute what is expected on average.
        dropout_implementation: "downgrade_in_infer" scales by 1 - dropout_prob when not training;
            "upscale_in_train" divides by it while training.

    Returns:
        Shape of `input`.

    Effects:
        Without a seed, torch's generator of the device is drawn from.
    """
    upscale = dropout_implementation == "upscale_in_train"
    if not training:
        return torch.clone(input) if upscale else torch.mul(input, 1.0 - dropout_prob)
    if dropout_prob == 1:
        return torch.mul(input, 0.0)
    # an engine that is started from 0 starts from 1; to `random` 0 means no seed
    start = 0 if seed is None else seed or 1
    mask = random.dropout_mask(torch.detach(input), dropout_prob, start)
    if upscale:
        mask = mask.div_(1.0 - dropout_prob)
    return torch.mul(input, mask)
