"""Rates divided by the root of squared gradients: Adagrad, DecayedAdagrad, Adadelta, RMSProp.

May import: torch, base.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.optimizer.base import Group, Optimizer
from refluid.paddle.fluid.optimizer.rounding import float32

__all__ = ["AdadeltaOptimizer", "AdagradOptimizer", "DecayedAdagradOptimizer", "RMSPropOptimizer"]


class AdagradOptimizer(Optimizer):
    """Divide by the root of the sum of squares: `m += g^2; p -= rate * g / (sqrt(m) + eps)`.

    Same as Paddle 1.8.

    Args:
        learning_rate: a float or a decay.
        epsilon: eps.
        parameter_list: the parameters to update.
        regularization: weight decay.
        grad_clip: how gradients are clipped.
        name: put before the names of the accumulators (`moment`).
        initial_accumulator_value: what m starts with.

    Source: Duchi et al., Adaptive Subgradient Methods, 2011.
    """

    type = "adagrad"

    def __init__(
        self,
        learning_rate: Any,
        epsilon: float = 1e-06,
        parameter_list: Sequence[ParamBase] | None = None,
        regularization: Any = None,
        grad_clip: Any = None,
        name: str | None = None,
        initial_accumulator_value: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, parameter_list, regularization, grad_clip, name)
        self._epsilon = epsilon
        self.initial_accumulator_value = initial_accumulator_value
        self._moment = self._store.declare("moment", initial_accumulator_value)

    def _update(self, group: Group) -> None:
        moments = self._store.get(self._moment, group.params)
        torch._foreach_addcmul_(moments, group.grads, group.grads)
        _divide_by_root(group, moments, self._epsilon)


class DecayedAdagradOptimizer(Optimizer):
    """Adagrad that forgets: `m = decay*m + (1-decay)*g^2; p -= rate * g / (sqrt(m) + eps)`.

    Same as Paddle 1.8.

    Args:
        learning_rate: a float or a decay.
        decay: share of m that is kept.
        epsilon: eps.
        parameter_list: the parameters to update.
        regularization: weight decay.
        grad_clip: how gradients are clipped.
        name: put before the names of the accumulators (`moment`).
    """

    type = "decayed_adagrad"

    def __init__(
        self,
        learning_rate: Any,
        decay: float = 0.95,
        epsilon: float = 1e-06,
        parameter_list: Sequence[ParamBase] | None = None,
        regularization: Any = None,
        grad_clip: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameter_list, regularization, grad_clip, name)
        self._decay = decay
        self._epsilon = epsilon
        self._moment = self._store.declare("moment")

    def _update(self, group: Group) -> None:
        moments = self._store.get(self._moment, group.params)
        _average(moments, group.grads, group.grads, self._decay)
        _divide_by_root(group, moments, self._epsilon)


class AdadeltaOptimizer(Optimizer):
    """Steps in proportion to the average size of earlier steps.

    `s = rho*s + (1-rho)*g^2; d = sqrt((u+eps)/(s+eps)) * g; u = rho*u + (1-rho)*d^2;
    p -= sqrt((u+eps)/(s+eps)) * g`. Same as Paddle 1.8, with its two deviations from the paper:
    the learning rate has no effect, and the step uses u after its update.

    Args:
        learning_rate: a float or a decay; it has no effect.
        epsilon: eps.
        rho: share of the averages that is kept.
        parameter_list: the parameters to update.
        regularization: weight decay.
        grad_clip: how gradients are clipped.
        name: put before the names of the accumulators (`_avg_squared_grad`,
            `_avg_squared_update`).

    Source: Zeiler, ADADELTA, 2012.
    """

    type = "adadelta"

    def __init__(
        self,
        learning_rate: Any,
        epsilon: float = 1e-06,
        rho: float = 0.95,
        parameter_list: Sequence[ParamBase] | None = None,
        regularization: Any = None,
        grad_clip: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameter_list, regularization, grad_clip, name)
        self._epsilon = epsilon
        self._rho = rho
        self._squared_grad = self._store.declare("_avg_squared_grad")
        self._squared_update = self._store.declare("_avg_squared_update")

    def _update(self, group: Group) -> None:
        squared_grads = self._store.get(self._squared_grad, group.params)
        squared_updates = self._store.get(self._squared_update, group.params)
        _average(squared_grads, group.grads, group.grads, self._rho)
        steps = self._steps(group, squared_grads, squared_updates)
        _average(squared_updates, steps, steps, self._rho)
        torch._foreach_sub_(group.values, self._steps(group, squared_grads, squared_updates))

    def _steps(
        self, group: Group, squared_grads: Any, squared_updates: Any
    ) -> tuple[torch.Tensor, ...]:
        epsilon = float32(self._epsilon)
        ratios = torch._foreach_add(squared_updates, epsilon)
        torch._foreach_div_(ratios, torch._foreach_add(squared_grads, epsilon))
        torch._foreach_sqrt_(ratios)
        torch._foreach_mul_(ratios, group.grads)
        return ratios


class RMSPropOptimizer(Optimizer):
    """Divide by the root of the average square, and keep a momentum of the steps.

    `s = rho*s + (1-rho)*g^2; u = momentum*u + rate * g / sqrt(s + eps); p -= u`. Centered, s is
    reduced by the square of the average gradient. Same as Paddle 1.8: epsilon is inside the root.

    Differs from Paddle: of a sparse gradient every row counts, as in `MomentumOptimizer`.

    Args:
        learning_rate: a float or a decay.
        rho: share of the averages that is kept.
        epsilon: eps.
        momentum: share of the last step that is kept.
        centered: divide by the deviation instead of the square.
        parameter_list: the parameters to update.
        regularization: weight decay.
        grad_clip: how gradients are clipped.
        name: put before the names of the accumulators (`momentum`, `mean_square`, `mean_grad`).

    Source: Hinton, Neural Networks for Machine Learning, lecture 6.
    """

    type = "rmsprop"

    def __init__(
        self,
        learning_rate: Any,
        rho: float = 0.95,
        epsilon: float = 1e-06,
        momentum: float = 0.0,
        centered: bool = False,
        parameter_list: Sequence[ParamBase] | None = None,
        regularization: Any = None,
        grad_clip: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameter_list, regularization, grad_clip, name)
        self._rho = rho
        self._epsilon = epsilon
        self._momentum = momentum
        self._centered = centered
        self._steps = self._store.declare("momentum")
        self._mean_square = self._store.declare("mean_square")
        self._mean_grad = self._store.declare("mean_grad")

    def _update(self, group: Group) -> None:
        steps = self._store.get(self._steps, group.params)
        squares = self._store.get(self._mean_square, group.params)
        _average(squares, group.grads, group.grads, self._rho)
        roots = torch._foreach_add(squares, float32(self._epsilon))
        if self._centered:
            means = self._store.get(self._mean_grad, group.params)
            torch._foreach_lerp_(means, group.grads, 1.0 - float32(self._rho))
            torch._foreach_addcmul_(roots, means, means, value=-1.0)
        torch._foreach_sqrt_(roots)
        torch._foreach_mul_(steps, float32(self._momentum))
        torch._foreach_addcdiv_(steps, group.grads, roots, value=group.rate)
        torch._foreach_sub_(group.values, steps)


def _average(averages: Any, factors1: Any, factors2: Any, keep: float) -> None:
    """Update running averages of the products of two lists of tensors, in place."""
    keep = float32(keep)
    torch._foreach_mul_(averages, keep)
    torch._foreach_addcmul_(averages, factors1, factors2, value=1.0 - keep)


def _divide_by_root(group: Group, moments: Any, epsilon: float) -> None:
    """Update `p -= rate * g / (sqrt(m) + eps)`."""
    roots = torch._foreach_sqrt(moments)
    torch._foreach_add_(roots, float32(epsilon))
    torch._foreach_addcdiv_(group.values, group.grads, roots, value=-group.rate)
