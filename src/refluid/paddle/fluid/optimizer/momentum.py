"""Gradient descent that keeps its velocity, plain and layer-wise (LARS).

May import: torch, base, kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.optimizer import kernel
from refluid.paddle.fluid.optimizer.base import Group, Optimizer
from refluid.paddle.fluid.optimizer.rounding import float32

__all__ = ["LarsMomentumOptimizer", "MomentumOptimizer"]


class MomentumOptimizer(Optimizer):
    """Descent with momentum: `v = mu*v + g; p -= rate*v`.

    With Nesterov's momentum `p -= rate * (g + mu*v)`. Same as Paddle 1.8.

    Differs from Paddle: of a sparse gradient every row counts. Paddle 1.8 looks the rows up by
    bisection in a list that is not always sorted, and loses the gradients of those it misses.

    Args:
        learning_rate: a float or a decay.
        momentum: mu, the share of the velocity that is kept.
        parameter_list: the parameters to update.
        use_nesterov: look ahead by one step.
        regularization: weight decay.
        grad_clip: how gradients are clipped.
        name: put before the names of the accumulators (`velocity`).
    """

    type = "momentum"

    def __init__(
        self,
        learning_rate: Any,
        momentum: float,
        parameter_list: Sequence[ParamBase] | None = None,
        use_nesterov: bool = False,
        regularization: Any = None,
        grad_clip: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameter_list, regularization, grad_clip, name)
        self._momentum = momentum
        self._use_nesterov = bool(use_nesterov)
        self._velocity = self._store.declare("velocity")

    def _update(self, group: Group) -> None:
        kernel.momentum(
            group.values,
            group.grads,
            self._store.get(self._velocity, group.params),
            rate=group.rate,
            decay=float32(self._momentum),
            nesterov=self._use_nesterov,
        )


class LarsMomentumOptimizer(Optimizer):
    """Momentum whose rate is scaled for each parameter by the norms of value and gradient.

    `local = rate * coeff * |p| / (|g| + decay*|p|)`, or `rate` where a norm is 0;
    `v = mu*v + local*(g + decay*p); p -= v`. Same as Paddle 1.8.

    Args:
        learning_rate: a float or a decay.
        momentum: mu, the share of the velocity that is kept.
        lars_coeff: coeff, how far a step may go in proportion to the value.
        lars_weight_decay: decay.
        parameter_list: the parameters to update.
        regularization: weight decay that is added to the gradient before all this.
        grad_clip: how gradients are clipped.
        name: put before the names of the accumulators (`velocity`).

    Source: You et al., Large Batch Training of Convolutional Networks, 2017.
    """

    type = "lars_momentum"

    def __init__(
        self,
        learning_rate: Any,
        momentum: float,
        lars_coeff: float = 0.001,
        lars_weight_decay: float = 0.0005,
        parameter_list: Sequence[ParamBase] | None = None,
        regularization: Any = None,
        grad_clip: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameter_list, regularization, grad_clip, name)
        self._momentum = momentum
        self._lars_coeff = float(lars_coeff)
        self._lars_weight_decay = float(lars_weight_decay)
        self._velocity = self._store.declare("velocity")

    def _update(self, group: Group) -> None:
        decay = float32(self._lars_weight_decay)
        velocities = self._store.get(self._velocity, group.params)
        of_value = torch.stack(torch._foreach_norm(group.values))
        of_grad = torch.stack(torch._foreach_norm(group.grads))
        local = of_value / (of_grad + decay * of_value) * (group.rate * float32(self._lars_coeff))
        local = torch.where((of_value > 0) & (of_grad > 0), local, group.rate)
        steps = torch._foreach_add(group.grads, group.values, alpha=decay)
        torch._foreach_mul_(steps, local.unbind())
        torch._foreach_mul_(velocities, float32(self._momentum))
        torch._foreach_add_(velocities, steps)
        torch._foreach_sub_(group.values, velocities)
