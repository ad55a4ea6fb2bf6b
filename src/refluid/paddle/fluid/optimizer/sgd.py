"""Plain gradient descent, and its differentially private form. May import: torch, base, random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from refluid.paddle.fluid.core_avx import random
from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.optimizer.base import Group, Optimizer

__all__ = ["DpsgdOptimizer", "SGDOptimizer"]


class SGDOptimizer(Optimizer):
    """Gradient descent: `p -= rate * g`.

    Same as Paddle 1.8. Of a sparse gradient only the rows that are in it are touched.

    Args:
        learning_rate: a float or a decay.
        parameter_list: the parameters to update.
        regularization: weight decay.
        grad_clip: how gradients are clipped.
        name: put before the names of accumulators, of which there are none.
    """

    type = "sgd"

    def __init__(
        self,
        learning_rate: Any,
        parameter_list: Sequence[ParamBase] | None = None,
        regularization: Any = None,
        grad_clip: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameter_list, regularization, grad_clip, name)

    def _update(self, group: Group) -> None:
        torch._foreach_add_(group.values, group.grads, alpha=-group.rate)

    def _update_rows(self, param: ParamBase, grad: torch.Tensor, rate: float) -> bool:
        param.data.add_(grad, alpha=-rate)
        return True


class DpsgdOptimizer(Optimizer):
    """Differentially private gradient descent: clip each gradient's norm and add noise.

    `p -= rate * (g / max(|g|/clip, 1) + sigma*z/batch_size)`, z one normal number for each
    parameter and step. Same as Paddle 1.8, where one second's steps share z; here each is new.

    Args:
        learning_rate: a float or a decay.
        clip: largest norm of a gradient.
        batch_size: what the noise is divided by.
        sigma: standard deviation of the noise.
        parameter_list: the parameters to update.

    Source: Abadi et al., Deep Learning with Differential Privacy, 2016.
    """

    type = "dpsgd"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        clip: float = 0.9,
        batch_size: float = 0.999,
        sigma: float = 1e-08,
        parameter_list: Sequence[ParamBase] | None = None,
    ) -> None:
        super().__init__(learning_rate, parameter_list)
        self._clip = clip
        self._batch_size = batch_size
        self._sigma = sigma
        self._seed: int | None = None

    def _update(self, group: Group) -> None:
        for value, grad, norm in zip(
            group.values, group.grads, torch._foreach_norm(group.grads), strict=True
        ):
            # the second number of Paddle's generator, which its kernel happens to take
            z = random.normal([2], 0.0, 1.0, self._seed or 0)[1].item()
            scaled = grad / (norm / self._clip).clamp_(min=1.0)
            value.sub_(scaled.add_(self._sigma * z / self._batch_size), alpha=group.rate)
