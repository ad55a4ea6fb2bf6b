"""Weight decay, added to the gradient after clipping: `g + c*w` (L2) or `g + c*sign(w)` (L1).

A regularizer in a ParamAttr replaces the optimizer's for that parameter.
Same as Paddle 1.8. May import: torch, core_avx, framework.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from refluid.paddle.fluid.core_avx.variable import wrap
from refluid.paddle.fluid.framework import ParamBase

__all__ = ["L1Decay", "L1DecayRegularizer", "L2Decay", "L2DecayRegularizer"]


class WeightDecayRegularizer:
    """What the optimizer adds to a gradient. Same as Paddle 1.8; a program may derive its own."""

    def __init__(self) -> None:
        """Take no arguments."""

    def __call__(self, param: torch.Tensor, grad: torch.Tensor, block: Any) -> torch.Tensor:
        """Return the term to be added to `grad`, shape and dtype of `param`.

        Args:
            param: the parameter.
            grad: its gradient.
            block: not used.
        """
        raise NotImplementedError

    def __str__(self) -> str:
        raise NotImplementedError

    def add_to(
        self, grads: list[torch.Tensor], params: list[torch.Tensor]
    ) -> Sequence[torch.Tensor]:
        """Return new gradients, the term added; in one pass where a final class knows how."""
        return [grad + self(param, grad, None) for grad, param in zip(grads, params, strict=True)]


class L2DecayRegularizer(WeightDecayRegularizer):
    """Add `regularization_coeff * w`, the gradient of half the squared norm. Same as Paddle 1.8.

    Args:
        regularization_coeff: weight of the penalty.
    """

    def __init__(self, regularization_coeff: float = 0.0) -> None:
        assert regularization_coeff is not None, "`regularization_coeff` must be a number."
        super().__init__()
        self._regularization_coeff = regularization_coeff

    def __call__(self, param: torch.Tensor, grad: torch.Tensor, block: Any) -> torch.Tensor:
        """Return `coeff * param`."""
        return wrap(param.data.mul(self._regularization_coeff))

    def __str__(self) -> str:
        return f"L2Decay, regularization_coeff={self._regularization_coeff:f}"

    def add_to(
        self, grads: list[torch.Tensor], params: list[torch.Tensor]
    ) -> Sequence[torch.Tensor]:
        """Return `grad + coeff * param` for each."""
        return torch._foreach_add(grads, params, alpha=self._regularization_coeff)


class L1DecayRegularizer(WeightDecayRegularizer):
    """Add `regularization_coeff * sign(w)`, the gradient of the sum of absolute values.

    Same as Paddle 1.8.

    Args:
        regularization_coeff: weight of the penalty.
    """

    def __init__(self, regularization_coeff: float = 0.0) -> None:
        assert regularization_coeff is not None, "`regularization_coeff` must be a number."
        super().__init__()
        self._regularization_coeff = regularization_coeff

    def __call__(self, param: torch.Tensor, grad: torch.Tensor, block: Any) -> torch.Tensor:
        """Return `coeff * sign(param)`."""
        return wrap(param.data.sign().mul_(self._regularization_coeff))

    def __str__(self) -> str:
        return f"L1Decay, regularization_coeff={self._regularization_coeff:f}"

    def add_to(
        self, grads: list[torch.Tensor], params: list[torch.Tensor]
    ) -> Sequence[torch.Tensor]:
        """Return `grad + coeff * sign(param)` for each."""
        signs = torch._foreach_sign(params)
        return torch._foreach_add(grads, signs, alpha=self._regularization_coeff)


L1Decay = L1DecayRegularizer
L2Decay = L2DecayRegularizer


def append_regularization_ops(
    parameters_and_grads: list[tuple[ParamBase, torch.Tensor]],
    regularization: WeightDecayRegularizer | None = None,
) -> list[tuple[ParamBase, torch.Tensor]]:
    """Add each parameter's decay to its gradient.

    Differs from Paddle: a sparse gradient, on which Paddle 1.8 crashes, becomes a dense one.

    Args:
        parameters_and_grads: parameters with their (clipped) gradients.
        regularization: the optimizer's; a parameter's own comes before it.

    Returns:
        The parameters with new gradients; the given gradients are left alone.
    """
    result = list(parameters_and_grads)
    places: dict[WeightDecayRegularizer, list[int]] = {}
    for k, (param, grad) in enumerate(result):
        own = param.regularizer
        regularizer = regularization if own is None else own
        if regularizer is not None and grad is not None:
            places.setdefault(regularizer, []).append(k)
    for regularizer, ks in places.items():
        grads = [g.to_dense() if g.is_sparse else g for g in (result[k][1] for k in ks)]
        decayed = regularizer.add_to(grads, [result[k][0] for k in ks])
        for k, grad in zip(ks, decayed, strict=True):
            result[k] = (result[k][0], wrap(grad))
    return result
