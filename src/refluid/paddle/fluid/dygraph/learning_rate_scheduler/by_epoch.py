"""Decays that advance where the program calls `epoch()`. May import: decay."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.learning_rate_scheduler.decay import EpochDecay

__all__ = ["LambdaDecay", "MultiStepDecay", "StepDecay"]


class StepDecay(EpochDecay):
    """`learning_rate * decay_rate ** (epoch_num // step_size)`. Same as Paddle 1.8.

    Args:
        learning_rate: the rate of the first epochs.
        step_size: after how many epochs it falls.
        decay_rate: what remains of it, below 1.

    Raises:
        TypeError: `step_size` is not an int.
        ValueError: `decay_rate` is 1 or more.
    """

    def __init__(self, learning_rate: float, step_size: int, decay_rate: float = 0.1) -> None:
        if not isinstance(step_size, int):
            raise TypeError(f"`step_size` must be an int, but received {step_size!r}.")
        _check_decay_rate(decay_rate)
        self.step_size = step_size
        self.decay_rate = decay_rate
        super().__init__(learning_rate)

    def get_lr(self) -> VarBase | float:
        """Return the rate for `epoch_num`, shape [1]."""
        return _fallen(self, self.decay_rate, self.epoch_num // self.step_size)


class MultiStepDecay(EpochDecay):
    """The rate falls by `decay_rate` at each of the milestones. Same as Paddle 1.8.

    Args:
        learning_rate: the rate of the first epochs.
        milestones: epochs at which it falls, ascending.
        decay_rate: what remains of it, below 1.

    Raises:
        TypeError: `milestones` is neither a tuple nor a list.
        ValueError: they do not ascend, or `decay_rate` is 1 or more.
    """

    def __init__(
        self, learning_rate: float, milestones: Sequence[int], decay_rate: float = 0.1
    ) -> None:
        if not isinstance(milestones, (tuple, list)):
            raise TypeError(f"`milestones` must be a tuple or list, but received {milestones!r}.")
        if any(a >= b for a, b in itertools.pairwise(milestones)):
            raise ValueError(f"`milestones` must ascend, but received {milestones!r}.")
        _check_decay_rate(decay_rate)
        self.milestones = milestones
        self.decay_rate = decay_rate
        super().__init__(learning_rate)

    def get_lr(self) -> VarBase | float:
        """Return the rate for `epoch_num`, shape [1]."""
        passed = [self.epoch_num >= milestone for milestone in self.milestones]
        return _fallen(self, self.decay_rate, sum(passed))


class LambdaDecay(EpochDecay):
    """`learning_rate * lr_lambda(epoch_num)`. Same as Paddle 1.8.

    Args:
        learning_rate: the rate that is multiplied.
        lr_lambda: called with the number of the epoch, from 0.

    Raises:
        TypeError: `lr_lambda` is not a function.
    """

    def __init__(self, learning_rate: float, lr_lambda: Callable[[int], float]) -> None:
        if not callable(lr_lambda):
            raise TypeError(
                f"`lr_lambda` must be a function of the epoch, but received {lr_lambda!r}."
            )
        self.lr_lambda = lr_lambda
        super().__init__(learning_rate)

    def get_lr(self) -> VarBase | float:
        """Return the rate for `epoch_num`, as `lr_lambda` computes it."""
        return self.base_lr * self.lr_lambda(self.epoch_num)


def _check_decay_rate(decay_rate: float) -> None:
    if decay_rate >= 1.0:
        raise ValueError(f"`decay_rate` must be below 1, but received {decay_rate!r}.")


def _fallen(decay: EpochDecay, decay_rate: float, times: int) -> VarBase:
    left = decay._real(decay_rate) ** decay._real(times)
    return decay.create_lr_var(left * decay._real(decay.base_lr))
