"""Functions that make a learning-rate decay, as programs of the static graph called them.

In the dynamic graph they return the objects of `fluid.dygraph`, as in Paddle 1.8.
May import: core_avx, dygraph.learning_rate_scheduler, layers.tensor.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.learning_rate_scheduler import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    LearningRateDecay,
    LinearLrWarmup,
    NaturalExpDecay,
    NoamDecay,
    PiecewiseDecay,
    PolynomialDecay,
)
from refluid.paddle.fluid.layers.tensor.constant import fill_constant

__all__ = [
    "cosine_decay",
    "exponential_decay",
    "inverse_time_decay",
    "linear_lr_warmup",
    "natural_exp_decay",
    "noam_decay",
    "piecewise_decay",
    "polynomial_decay",
]


def _decay_step_counter(begin: int = 0) -> VarBase:
    """Return `begin` as float32 [1], which is as far as Paddle 1.8 counts in the dynamic graph.

    Programs with decays of their own import it.
    """
    return fill_constant([1], "float32", begin)


def noam_decay(d_model: int, warmup_steps: int, learning_rate: float = 1.0) -> NoamDecay:
    """Return a `fluid.dygraph.NoamDecay`. Same as Paddle 1.8.

    Args:
        d_model: width of the model.
        warmup_steps: until when the rate grows.
        learning_rate: factor of it all.
    """
    return NoamDecay(d_model, warmup_steps, learning_rate=learning_rate)


def exponential_decay(
    learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
) -> ExponentialDecay:
    """Return a `fluid.dygraph.ExponentialDecay`. Same as Paddle 1.8.

    Args:
        learning_rate: the first rate.
        decay_steps: in how many steps it is multiplied by `decay_rate`.
        decay_rate: what remains of it.
        staircase: only at whole multiples of `decay_steps`.
    """
    return ExponentialDecay(learning_rate, decay_steps, decay_rate, staircase)


def natural_exp_decay(
    learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
) -> NaturalExpDecay:
    """Return a `fluid.dygraph.NaturalExpDecay`. Same as Paddle 1.8.

    Args:
        learning_rate: the first rate.
        decay_steps: in how many steps it is multiplied by `exp(-decay_rate)`.
        decay_rate: how fast it falls.
        staircase: only at whole multiples of `decay_steps`.
    """
    return NaturalExpDecay(learning_rate, decay_steps, decay_rate, staircase)


def inverse_time_decay(
    learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
) -> InverseTimeDecay:
    """Return a `fluid.dygraph.InverseTimeDecay`. Same as Paddle 1.8.

    Args:
        learning_rate: the first rate.
        decay_steps: in how many steps the divisor grows by `decay_rate`.
        decay_rate: how fast it falls.
        staircase: only at whole multiples of `decay_steps`.
    """
    return InverseTimeDecay(learning_rate, decay_steps, decay_rate, staircase)


def polynomial_decay(
    learning_rate: float,
    decay_steps: int,
    end_learning_rate: float = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
) -> PolynomialDecay:
    """Return a `fluid.dygraph.PolynomialDecay`. Same as Paddle 1.8.

    Args:
        learning_rate: the first rate.
        decay_steps: where the end is reached.
        end_learning_rate: the rate there.
        power: shape of the curve; 1 for a line.
        cycle: begin anew instead of staying at the end.
    """
    return PolynomialDecay(learning_rate, decay_steps, end_learning_rate, power, cycle)


def piecewise_decay(boundaries: Sequence[int], values: Sequence[float]) -> PiecewiseDecay:
    """Return a `fluid.dygraph.PiecewiseDecay` that begins at step 0. Same as Paddle 1.8.

    Args:
        boundaries: step numbers, ascending.
        values: rates, one more than boundaries.

    Raises:
        ValueError: there is another number of values.
    """
    if len(values) - len(boundaries) != 1:
        raise ValueError(
            f"`values` must be one more than `boundaries`, but received {len(values)} values and "
            f"{len(boundaries)} boundaries."
        )
    return PiecewiseDecay(boundaries, values, 0)


def cosine_decay(learning_rate: float, step_each_epoch: int, epochs: int) -> CosineDecay:
    """Return a `fluid.dygraph.CosineDecay`. Same as Paddle 1.8.

    Args:
        learning_rate: the first rate.
        step_each_epoch: steps in an epoch.
        epochs: after how many the rate is 0.

    Raises:
        TypeError: `learning_rate` is not a float.
    """
    if not isinstance(learning_rate, (float, torch.Tensor)):
        raise TypeError(f"`learning_rate` must be a float, but received {learning_rate!r}.")
    return CosineDecay(learning_rate, step_each_epoch, epochs)


def linear_lr_warmup(
    learning_rate: float | LearningRateDecay, warmup_steps: int, start_lr: float, end_lr: float
) -> LinearLrWarmup:
    """Return a `fluid.dygraph.LinearLrWarmup`. Same as Paddle 1.8.

    Args:
        learning_rate: the rate after the warm-up: a number or a decay.
        warmup_steps: where the warm-up ends.
        start_lr: subtracted from `end_lr`.
        end_lr: greater than `start_lr`.
    """
    return LinearLrWarmup(learning_rate, warmup_steps, start_lr, end_lr)
