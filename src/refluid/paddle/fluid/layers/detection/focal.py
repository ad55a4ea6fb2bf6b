"""`sigmoid_focal_loss`, which counts what is already right for less.

May import: torch, core_avx.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import FLOAT, Kind, describe, operator
from refluid.paddle.fluid.layers.detection.argument import real, sizes_of

__all__ = ["sigmoid_focal_loss"]

_INT32 = Kind(frozenset({torch.int32}))


@operator("sigmoid_focal_loss", x=FLOAT, label=_INT32, fg_num=_INT32)
def sigmoid_focal_loss(
    x: Tensor, label: Tensor, fg_num: Tensor, gamma: float = 2.0, alpha: float = 0.25
) -> Tensor:
    """Return the focal loss of each class of each row.

    With p the sigmoid of x: -alpha (1 - p)^gamma log p for a row's own class,
    -(1 - alpha) p^gamma log(1 - p) for others, divided by `fg_num`. Same as Paddle 1.8.
    Source: Lin et al. 2017.

    Args:
        x: float [N, C], scores.
        label: int32 [N, 1], classes from 1 to C, 0 for the background, -1 for rows that do not
            count.
        fg_num: int32 [1], the number of rows with a class; at least 1 is taken.
        gamma: see above.
        alpha: see above.

    Returns:
        [N, C].

    Raises:
        EnforceNotMet: shapes or settings do not fit.
    """
    op_type = "sigmoid_focal_loss"
    sizes_of(op_type, x=(x, "N C"), label=(label, "N 1"))
    if fg_num.dim() != 1 or not fg_num.numel():
        raise EnforceNotMet(f"{op_type}: `fg_num` must be [1], but received {describe(fg_num)}.")
    gamma, alpha = real(op_type, "gamma", gamma), real(op_type, "alpha", alpha)
    log_yes, log_no = functional.logsigmoid(x), functional.logsigmoid(-x)
    # cut in value only, as in Paddle: the gradient goes on
    least = torch.finfo(torch.float32).tiny
    fixed = log_yes.detach()
    log_cut = log_yes + (fixed.exp().clamp(min=least).log() - fixed)
    classes = torch.arange(1, x.size(1) + 1, device=x.device)
    own = classes == label
    yes = -alpha * torch.exp(gamma * log_no) * log_cut
    no = (alpha - 1) * torch.exp(gamma * log_yes) * log_no
    loss = torch.where(own, yes, torch.where(label == -1, 0.0, no))
    return loss / fg_num[:1].clamp(min=1)
