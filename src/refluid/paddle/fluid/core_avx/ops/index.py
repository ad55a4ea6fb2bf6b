"""The check of whole numbers that select rows or classes. May import: torch, error."""

from __future__ import annotations

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet

__all__ = ["check_index"]


def check_index(
    op_type: str, name: str, index: Tensor, upper: int, ignored: int | None = None
) -> None:
    """Refuse numbers that select nothing.

    On a GPU torch would end the process's use of the device, so the check waits for the numbers
    there too.

    Args:
        op_type: the operator, for the message.
        name: its argument, for the message.
        index: whole numbers of any shape.
        upper: they must lie in [0, upper).
        ignored: a number that is allowed besides.

    Raises:
        EnforceNotMet: a number lies outside; the message tells which.
    """
    if not index.numel():
        return
    low, high = torch.aminmax(index)
    if int(low) >= 0 and int(high) < upper:
        return
    outside = torch.lt(index, 0) | torch.ge(index, upper)
    if ignored is not None:
        outside &= torch.ne(index, ignored)
    wrong = torch.masked_select(index, outside)
    if wrong.numel():
        raise EnforceNotMet(
            f"{op_type}: `{name}` must be from 0 to {upper - 1}, but received {int(wrong[0])}."
        )
