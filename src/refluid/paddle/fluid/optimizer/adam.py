"""Averages of gradients and of their squares: Adam, Adamax, Lamb.

May import: torch, base, kernel.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.optimizer import kernel
from refluid.paddle.fluid.optimizer.accumulator import Power
from refluid.paddle.fluid.optimizer.base import Group, Optimizer
from refluid.paddle.fluid.optimizer.rounding import float32, rounded

__all__ = ["AdamOptimizer", "AdamaxOptimizer", "LambOptimizer"]

_dtype = torch.Tensor.dtype.__get__  # type: ignore[attr-defined]


class AdamOptimizer(Optimizer):
    """Divide the average gradient by the root of the average square.

    `m = b1*m + (1-b1)*g; v = b2*v + (1-b2)*g^2;
    p -= rate * sqrt(1-b2^t)/(1-b1^t) * m / (sqrt(v) + eps)`.

    Same as Paddle 1.8. torch adds eps to the corrected root instead, so its epsilon means
    something else: the two agree for `eps_torch = eps / sqrt(1-b2^t)`.

    Args:
        learning_rate: a float or a decay.
        beta1: b1, a number or a Variable of shape [1].
        beta2: b2, likewise.
        epsilon: eps.
        parameter_list: the parameters to update.
        regularization: weight decay.
        grad_clip: how gradients are clipped.
        name: put before the names of the accumulators (`moment1`, `moment2`, `beta1_pow_acc`,
            `beta2_pow_acc`).
        lazy_mode: of a sparse gradient, update only the rows that are in it.

    Source: Kingma and Ba, Adam, 2014.
    """

    type = "adam"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-08,
        parameter_list: Sequence[ParamBase] | None = None,
        regularization: Any = None,
        grad_clip: Any = None,
        name: str | None = None,
        lazy_mode: bool = False,
    ) -> None:
        super().__init__(learning_rate, parameter_list, regularization, grad_clip, name)
        self._beta1 = _number(beta1)
        self._beta2 = _number(beta2)
        self._epsilon = epsilon
        self._lazy_mode = lazy_mode
        self._moment1 = self._store.declare("moment1")
        self._moment2 = self._store.declare("moment2")
        self._power1 = Power(self._store, "beta1_pow_acc", self._beta1)
        self._power2 = Power(self._store, "beta2_pow_acc", self._beta2)

    def _rate(self, param: ParamBase, grad: torch.Tensor, rate: float) -> float:
        rate, name, dtype = super()._rate(param, grad, rate), param.name, _dtype(param)
        power1, power2 = self._power1[name], self._power2[name]
        if grad.is_sparse:
            # Paddle's kernel for sparse gradients advances the powers before it reads them
            power1 = rounded(power1 * float32(self._beta1), dtype)
            power2 = rounded(power2 * float32(self._beta2), dtype)
        return _corrected(rate, power1, power2, dtype)

    def _update(self, group: Group) -> None:
        kernel.adam(
            group.values,
            group.grads,
            self._store.get(self._moment1, group.params),
            self._store.get(self._moment2, group.params),
            rate=group.rate,
            beta1=float32(self._beta1),
            beta2=float32(self._beta2),
            epsilon=float32(self._epsilon),
        )
        self._power1.advance(group.params)
        self._power2.advance(group.params)

    def _update_rows(self, param: ParamBase, grad: torch.Tensor, rate: float) -> bool:
        if not self._lazy_mode:
            return False
        merged = grad.coalesce()
        rows = merged._indices()[0]
        every = [param.data, *self._store.get(self._moment1, [param])]
        every += self._store.get(self._moment2, [param])
        value, moment1, moment2 = (tensor.index_select(0, rows) for tensor in every)
        kernel.adam(
            [value],
            [merged._values()],
            [moment1],
            [moment2],
            rate=rate,
            beta1=float32(self._beta1),
            beta2=float32(self._beta2),
            epsilon=float32(self._epsilon),
        )
        for tensor, part in zip(every, (value, moment1, moment2), strict=True):
            tensor.index_copy_(0, rows, part)
        self._power1.advance([param])
        self._power2.advance([param])
        return True


class AdamaxOptimizer(Optimizer):
    """Adam with the largest gradient in place of the average square.

    `m = b1*m + (1-b1)*g; u = max(|g|, b2*u + eps); p -= rate/(1-b1^t) * m / u`.
    Same as Paddle 1.8.

    Args:
        learning_rate: a float or a decay.
        beta1: b1.
        beta2: b2.
        epsilon: eps.
        parameter_list: the parameters to update.
        regularization: weight decay.
        grad_clip: how gradients are clipped.
        name: put before the names of the accumulators (`moment`, `inf_norm`, `beta1_pow_acc`).

    Source: Kingma and Ba, Adam, section 7, 2014.
    """

    type = "adamax"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-08,
        parameter_list: Sequence[ParamBase] | None = None,
        regularization: Any = None,
        grad_clip: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameter_list, regularization, grad_clip, name)
        self._beta1 = beta1
        self._beta2 = beta2
        self._epsilon = epsilon
        self._moment = self._store.declare("moment")
        self._inf_norm = self._store.declare("inf_norm")
        self._power1 = Power(self._store, "beta1_pow_acc", beta1)

    def _rate(self, param: ParamBase, grad: torch.Tensor, rate: float) -> float:
        rate, dtype = super()._rate(param, grad, rate), _dtype(param)
        return rounded(rate / rounded(1.0 - self._power1[param.name], dtype), dtype)

    def _update(self, group: Group) -> None:
        moments = self._store.get(self._moment, group.params)
        norms = self._store.get(self._inf_norm, group.params)
        beta1 = float32(self._beta1)
        torch._foreach_mul_(moments, beta1)
        torch._foreach_add_(moments, group.grads, alpha=1.0 - beta1)
        torch._foreach_mul_(norms, float32(self._beta2))
        torch._foreach_add_(norms, float32(self._epsilon))
        torch._foreach_maximum_(norms, torch._foreach_abs(group.grads))
        torch._foreach_addcdiv_(group.values, moments, norms, value=-group.rate)
        self._power1.advance(group.params)


class LambOptimizer(AdamOptimizer):
    """Adam whose step is scaled for each parameter to the norm of its value.

    `r = m / (sqrt(v) + eps) + decay*p; p -= rate * |p|/|r| * r`, the ratio being 1 where a norm
    is 0. Same as Paddle 1.8: unlike in the paper the averages are not corrected for their
    beginning, so the saved powers of the betas stay as they are.

    Args:
        learning_rate: a float or a decay.
        lamb_weight_decay: decay.
        beta1: share of m that is kept.
        beta2: share of v that is kept.
        epsilon: eps.
        parameter_list: the parameters to update.
        regularization: weight decay that is added to the gradient before all this.
        grad_clip: how gradients are clipped.
        exclude_from_weight_decay_fn: called with a parameter; True means a decay of 0 for it.
        name: put before the names of the accumulators, which are Adam's.

    Source: You et al., Large Batch Optimization for Deep Learning, 2019.
    """

    type = "lamb"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        lamb_weight_decay: float = 0.01,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-06,
        parameter_list: Sequence[ParamBase] | None = None,
        regularization: Any = None,
        grad_clip: Any = None,
        exclude_from_weight_decay_fn: Callable[[ParamBase], bool] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            learning_rate, beta1, beta2, epsilon, parameter_list, regularization, grad_clip, name
        )
        self._weight_decay = lamb_weight_decay
        self._exclude_from_weight_decay_fn = exclude_from_weight_decay_fn

    def _rate(self, param: ParamBase, grad: torch.Tensor, rate: float) -> float:
        return Optimizer._rate(self, param, grad, rate)

    def _update(self, group: Group) -> None:
        moments1 = self._store.get(self._moment1, group.params)
        moments2 = self._store.get(self._moment2, group.params)
        beta1, beta2 = float32(self._beta1), float32(self._beta2)
        torch._foreach_mul_(moments1, beta1)
        torch._foreach_add_(moments1, group.grads, alpha=1.0 - beta1)
        torch._foreach_mul_(moments2, beta2)
        torch._foreach_addcmul_(moments2, group.grads, group.grads, value=1.0 - beta2)
        roots = torch._foreach_sqrt(moments2)
        torch._foreach_add_(roots, float32(self._epsilon))
        steps = torch._foreach_div(moments1, roots)
        decays = [self._decay(param) for param in group.params]
        torch._foreach_add_(steps, torch._foreach_mul(group.values, decays))
        of_value = torch.stack(torch._foreach_norm(group.values))
        of_step = torch.stack(torch._foreach_norm(steps))
        ratios = torch.where((of_value > 0) & (of_step > 0), of_value / of_step, 1.0)
        torch._foreach_mul_(steps, ratios.unbind())
        torch._foreach_add_(group.values, steps, alpha=-group.rate)

    def _decay(self, param: ParamBase) -> float:
        exclude = self._exclude_from_weight_decay_fn
        return 0.0 if exclude is not None and exclude(param) else float32(self._weight_decay)


def _number(beta: float | VarBase) -> float:
    return beta.item() if isinstance(beta, torch.Tensor) else beta


@functools.lru_cache(maxsize=1024)
def _corrected(rate: float, power1: float, power2: float, dtype: torch.dtype) -> float:
    """Return `rate * sqrt(1-b2^t) / (1-b1^t)`, each step rounded as in Paddle's kernel."""
    root = rounded(math.sqrt(rounded(1.0 - power2, dtype)), dtype)
    return rounded(rate * rounded(root / rounded(1.0 - power1, dtype), dtype), dtype)
