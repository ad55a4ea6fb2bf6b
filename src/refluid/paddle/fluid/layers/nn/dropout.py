"""Dropout as a function. May import: core_avx, framework."""

from __future__ import annotations

import torch

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.ops import dropout as _dropout
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.framework import default_main_program

__all__ = ["dropout"]


def dropout(
    x: VarBase,
    dropout_prob: float,
    is_test: bool = False,
    seed: int | None = None,
    name: str | None = None,
    dropout_implementation: str = "downgrade_in_infer",
) -> VarBase:
    """Set elements to zero at random, while gradients are recorded.

    Same as Paddle 1.8: `is_test` has no effect in the dynamic graph. Under `no_grad`, and after
    `layer.eval()`, the function computes what is expected on average.

    Args:
        x: float of any shape.
        dropout_prob: the share of elements that are dropped, 0 to 1.
        is_test: accepted for compatibility.
        seed: for the same elements each time; by default the main program's `random_seed`, and
            others each time if that is 0.
        name: accepted for compatibility.
        dropout_implementation: "downgrade_in_infer" scales by 1 - dropout_prob when nothing is
            dropped; "upscale_in_train" divides by it when something is.

    Raises:
        EnforceNotMet: `dropout_prob` or `dropout_implementation` is none of these.
    """
    if not (isinstance(dropout_prob, (int, float)) and 0.0 <= dropout_prob <= 1.0):
        raise EnforceNotMet(
            f"dropout: `dropout_prob` must lie in [0, 1], but received {dropout_prob!r}."
        )
    if dropout_implementation not in _dropout.IMPLEMENTATIONS:
        raise EnforceNotMet(
            f"dropout: `dropout_implementation` must be one of "
            f"{', '.join(_dropout.IMPLEMENTATIONS)}, but received {dropout_implementation!r}."
        )
    if not seed and default_main_program().random_seed:
        seed = default_main_program().random_seed
    recording = torch.is_grad_enabled()
    return _dropout.dropout(x, dropout_prob, seed, recording, dropout_implementation)
