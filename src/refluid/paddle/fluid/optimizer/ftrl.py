"""Follow the regularized leader. May import: torch, base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.optimizer.base import Group, Optimizer
from refluid.paddle.fluid.optimizer.rounding import float32

__all__ = ["FtrlOptimizer"]


class FtrlOptimizer(Optimizer):
    """FTRL-Proximal, which sets small parameters to exactly 0.

    `n' = n + g^2; z += g - (n'^-power - n^-power)/rate * p;
    p = (l1*sign(z) - z) / (n'^-power/rate + 2*l1)` where |z| > l1, else 0.

    Same as Paddle 1.8, where `l2` has no effect: l1 stands for both.

    Args:
        learning_rate: a float or a decay.
        l1: strength of the penalty.
        l2: it has no effect.
        lr_power: power, how the rate falls; -0.5 for the root.
        parameter_list: the parameters to update.
        regularization: weight decay that is added to the gradient before all this.
        grad_clip: how gradients are clipped.
        name: put before the names of the accumulators (`squared`, `linear`).

    Source: McMahan et al., Ad Click Prediction, 2013.
    """

    type = "ftrl"

    def __init__(
        self,
        learning_rate: Any,
        l1: float = 0.0,
        l2: float = 0.0,
        lr_power: float = -0.5,
        parameter_list: Sequence[ParamBase] | None = None,
        regularization: Any = None,
        grad_clip: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameter_list, regularization, grad_clip, name)
        self._l1 = l1
        self._l2 = l2
        self._lr_power = lr_power
        self._squared = self._store.declare("squared")
        self._linear = self._store.declare("linear")

    def _update(self, group: Group) -> None:
        squared = self._store.get(self._squared, group.params)
        linear = self._store.get(self._linear, group.params)
        penalty = float32(self._l1 + 1e-10)
        before = self._powers(squared)
        torch._foreach_addcmul_(squared, group.grads, group.grads)
        after = self._powers(squared)
        torch._foreach_sub_(before, after)
        torch._foreach_div_(before, group.rate)
        torch._foreach_add_(linear, group.grads)
        torch._foreach_addcmul_(linear, before, group.values)
        torch._foreach_div_(after, group.rate)
        torch._foreach_add_(after, 2.0 * penalty)
        shrunk = [torch.nn.functional.softshrink(z, penalty) for z in linear]
        torch._foreach_zero_(group.values)
        torch._foreach_addcdiv_(group.values, shrunk, after, value=-1.0)

    def _powers(self, tensors: Any) -> tuple[torch.Tensor, ...]:
        if self._lr_power == -0.5:
            return torch._foreach_sqrt(tensors)
        return torch._foreach_pow(tensors, -float32(self._lr_power))
