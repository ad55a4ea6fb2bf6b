"""Sparse gradients, which consist of rows of a table: Paddle's SelectedRows.

`Embedding(is_sparse=True)` leaves them. Here they are torch's sparse tensors, whose indices are the
numbers of the rows. No other operator takes them. May import: torch, core_avx.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import describe, operator

__all__ = ["get_tensor_from_selected_rows", "merge_selected_rows"]


@operator("get_tensor_from_selected_rows")
def get_tensor_from_selected_rows(x: Tensor, name: str | None = None) -> Tensor:
    """Return the rows of a sparse gradient one below the other, without their numbers.

    Same as Paddle 1.8.

    Args:
        x: a sparse gradient.
        name: accepted for compatibility.

    Returns:
        [number of rows, D], repeated rows kept.

    Raises:
        TypeError: x is not sparse.
    """
    _check("get_tensor_from_selected_rows", x, TypeError)
    return Tensor.detach(x)._values().clone()


@operator("merge_selected_rows")
def merge_selected_rows(x: Tensor, name: str | None = None) -> Tensor:
    """Return a sparse gradient with repeated rows added up, in ascending order.

    Same as Paddle 1.8.

    Args:
        x: a sparse gradient.
        name: accepted for compatibility.

    Raises:
        TypeError: x is not a variable.
        EnforceNotMet: x is not sparse.
    """
    _check("merge_selected_rows", x, EnforceNotMet)
    return Tensor.detach(x).coalesce()


def _check(op_type: str, x: Any, error: type[Exception]) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"{op_type}: `x` must be a Variable, but received {describe(x)}.")
    if not x.is_sparse:
        raise error(
            f"{op_type}: `x` must be the sparse gradient of an Embedding with is_sparse=True, but "
            f"received a dense {describe(x)}."
        )
