"""Decays that advance at every `minimize`. May import: numpy, decay."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.learning_rate_scheduler.decay import LearningRateDecay

__all__ = [
    "CosineDecay",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LinearLrWarmup",
    "NaturalExpDecay",
    "NoamDecay",
    "PiecewiseDecay",
    "PolynomialDecay",
]


class PiecewiseDecay(LearningRateDecay):
    """`values[i]` until `step_num` reaches `boundaries[i]`, at last `values[-1]`.

    Same as Paddle 1.8.

    Args:
        boundaries: step numbers, ascending.
        values: rates, one more than boundaries.
        begin: the first `step_num`.
        step: by how much it grows.
        dtype: element type of the rate.
    """

    def __init__(
        self,
        boundaries: Sequence[int],
        values: Sequence[float],
        begin: int,
        step: int = 1,
        dtype: str = "float32",
    ) -> None:
        super().__init__(begin, step, dtype)
        self.boundaries = boundaries
        self.values = values
        self.vars = list(values)

    def step(self) -> VarBase | float:
        """Return the rate for `step_num`: one of the given numbers."""
        for boundary, value in zip(self.boundaries, self.vars, strict=False):
            if self.step_num < boundary:
                return value
        return self.create_lr_var(self.vars[len(self.values) - 1])


class _TimeDecay(LearningRateDecay):
    """What the three decays by elapsed time share: t = step_num / decay_steps.

    Args:
        learning_rate: the rate at t = 0.
        decay_steps: how many steps make t = 1.
        decay_rate: how fast it falls.
        staircase: let t grow in whole numbers.
        begin: the first `step_num`.
        step: by how much it grows.
        dtype: element type of the rate.
    """

    def __init__(
        self,
        learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        begin: int = 0,
        step: int = 1,
        dtype: str = "float32",
    ) -> None:
        super().__init__(begin, step, dtype)
        self.learning_rate = learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase

    def _time(self) -> Any:
        time = self._real(self.step_num / self.decay_steps)
        return np.floor(time) if self.staircase else time


class NaturalExpDecay(_TimeDecay):
    """`learning_rate * exp(-decay_rate * t)`, t = step_num/decay_steps. Same as Paddle 1.8.

    Args:
        learning_rate: the rate at t = 0.
        decay_steps: how many steps make t = 1.
        decay_rate: how fast it falls.
        staircase: let t grow in whole numbers.
        begin: the first `step_num`.
        step: by how much it grows.
        dtype: element type of the rate.
    """

    def step(self) -> VarBase | float:
        """Return the rate for `step_num`, shape [1]."""
        fall = np.exp(self._real(-self.decay_rate) * self._time())
        return self.create_lr_var(self._real(self.learning_rate) * fall)


class ExponentialDecay(_TimeDecay):
    """`learning_rate * decay_rate ** t`, t = step_num/decay_steps. Same as Paddle 1.8.

    Args:
        learning_rate: the rate at t = 0.
        decay_steps: how many steps make t = 1.
        decay_rate: what remains of the rate at t = 1.
        staircase: let t grow in whole numbers.
        begin: the first `step_num`.
        step: by how much it grows.
        dtype: element type of the rate.
    """

    def step(self) -> VarBase | float:
        """Return the rate for `step_num`, shape [1]."""
        fall = self._real(self.decay_rate) ** self._time()
        return self.create_lr_var(self._real(self.learning_rate) * fall)


class InverseTimeDecay(_TimeDecay):
    """`learning_rate / (1 + decay_rate * t)`, t = step_num/decay_steps. Same as Paddle 1.8.

    Args:
        learning_rate: the rate at t = 0.
        decay_steps: how many steps make t = 1.
        decay_rate: how fast it falls.
        staircase: let t grow in whole numbers.
        begin: the first `step_num`.
        step: by how much it grows.
        dtype: element type of the rate.
    """

    def step(self) -> VarBase | float:
        """Return the rate for `step_num`, shape [1]."""
        divisor = self._real(1) + self._real(self.decay_rate) * self._time()
        return self.create_lr_var(self._real(self.learning_rate) / divisor)


class PolynomialDecay(LearningRateDecay):
    """`(learning_rate - end) * (1 - n/decay_steps)**power + end`, n = min(step_num, decay_steps).

    With `cycle`, decay_steps grows to the next multiple that step_num has not passed.
    Same as Paddle 1.8.

    Args:
        learning_rate: the rate at step 0.
        decay_steps: where the end is reached.
        end_learning_rate: the rate there.
        power: shape of the curve; 1 for a line.
        cycle: begin anew instead of staying at the end.
        begin: the first `step_num`.
        step: by how much it grows.
        dtype: element type of the rate.
    """

    def __init__(
        self,
        learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        begin: int = 0,
        step: int = 1,
        dtype: str = "float32",
    ) -> None:
        super().__init__(begin, step, dtype)
        self.learning_rate = learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle

    def step(self) -> VarBase | float:
        """Return the rate for `step_num`, shape [1]."""
        real, number = self._real, self.step_num
        if self.cycle:
            cycles = np.ceil(real(number / self.decay_steps)) if number else real(1)
            done = real(number) / (cycles * real(self.decay_steps))
        else:
            done = real(min(number, self.decay_steps)) * real(1.0 / self.decay_steps)
        left = (real(1) - done) ** real(self.power)
        span = real(self.learning_rate - self.end_learning_rate)
        return self.create_lr_var(left * span + real(self.end_learning_rate))


class CosineDecay(LearningRateDecay):
    """`learning_rate/2 * (cos(pi * epoch/epochs) + 1)`, epoch = floor(step_num/step_each_epoch).

    Same as Paddle 1.8: the rate stays the same within an epoch.

    Args:
        learning_rate: the rate of the first epoch.
        step_each_epoch: steps in an epoch.
        epochs: after how many the rate is 0.
        begin: the first `step_num`.
        step: by how much it grows.
        dtype: element type of the rate.
    """

    def __init__(
        self,
        learning_rate: float,
        step_each_epoch: int,
        epochs: int,
        begin: int = 0,
        step: int = 1,
        dtype: str = "float32",
    ) -> None:
        super().__init__(begin, step, dtype)
        self.learning_rate = learning_rate
        self.step_each_epoch = step_each_epoch
        self.epochs = epochs

    def step(self) -> VarBase | float:
        """Return the rate for `step_num`, shape [1]."""
        real = self._real
        epoch = np.floor(real(self.step_num / self.step_each_epoch))
        wave = np.cos(epoch * real(math.pi) * real(1.0 / self.epochs))
        return self.create_lr_var(real(self.learning_rate * 0.5) * (wave + real(1)))


class NoamDecay(LearningRateDecay):
    """`learning_rate * d_model**-0.5 * min(n**-0.5, n * warmup_steps**-1.5)`, n = step_num.

    Same as Paddle 1.8: n begins at 1, and a `begin` of 0 divides by zero.

    Args:
        d_model: width of the model.
        warmup_steps: until when the rate grows.
        begin: the first `step_num`.
        step: by how much it grows.
        dtype: element type of the rate.
        learning_rate: factor of it all.

    Source: Vaswani et al., Attention Is All You Need, section 5.3, 2017.
    """

    def __init__(
        self,
        d_model: int,
        warmup_steps: int,
        begin: int = 1,
        step: int = 1,
        dtype: str = "float32",
        learning_rate: float = 1.0,
    ) -> None:
        super().__init__(begin, step, dtype)
        self.learning_rate = learning_rate
        self.d_model = d_model
        self.warmup_steps = warmup_steps

    def step(self) -> VarBase | float:
        """Return the rate for `step_num`, shape [1]."""
        falling = self._real(self.step_num**-0.5)
        rising = self._real(self.warmup_steps**-1.5 * self.step_num)
        scale = self._real(self.learning_rate * self.d_model**-0.5)
        return self.create_lr_var(scale * min(falling, rising))


class LinearLrWarmup(LearningRateDecay):
    """Grow in a line during `warmup_steps`, then follow another rate.

    `n * (end_lr - start_lr) / warmup_steps` while n = step_num < warmup_steps. Same as Paddle 1.8,
    where the line begins at 0 whatever `start_lr` is; and an inner decay advances during the
    warm-up too, and once more if the rate is asked for before the first step.

    Differs from Paddle: `set_dict` also puts the inner decay to where it was, which Paddle forgets
    (not counting a rate that was asked for before the first step).

    Args:
        learning_rate: the rate after the warm-up: a number or a decay.
        warmup_steps: where the warm-up ends.
        start_lr: subtracted from `end_lr`.
        end_lr: greater than `start_lr`.
        begin: the first `step_num`.
        step: by how much it grows.
        dtype: element type of the rate.

    Raises:
        TypeError: `learning_rate` is no number and no decay.
        AssertionError: `end_lr` is not greater than `start_lr`.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateDecay,
        warmup_steps: int,
        start_lr: float,
        end_lr: float,
        begin: int = 1,
        step: int = 1,
        dtype: str = "float32",
    ) -> None:
        super().__init__(begin, step, dtype)
        if not isinstance(learning_rate, (float, int, LearningRateDecay)):
            raise TypeError(
                f"`learning_rate` must be a float or a decay, but received {learning_rate!r}."
            )
        assert end_lr > start_lr, (
            f"`end_lr` must be greater than `start_lr`, but received {end_lr} and {start_lr}."
        )
        self.learning_rate = learning_rate
        self.warmup_steps = warmup_steps
        self.lr_ratio_before_warmup = (float(end_lr) - float(start_lr)) / float(warmup_steps)
        self._begin = begin
        self._inner_begin = getattr(learning_rate, "step_num", 0)

    def step(self) -> VarBase | float:
        """Return the rate for `step_num`, and count a step of the inner decay."""
        rate = self.learning_rate
        base = rate() if isinstance(rate, LearningRateDecay) else rate
        if self.step_num < self.warmup_steps:
            return self.lr_ratio_before_warmup * self.step_num
        return base

    def set_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state, the inner decay too; arguments as for every decay."""
        super().set_dict(state_dict)
        inner = self.learning_rate
        if isinstance(inner, LearningRateDecay) and "step_num" in vars(inner):
            steps = (int(self.step_num) - self._begin) // self.step_size
            inner.step_num = self._inner_begin + steps * inner.step_size
