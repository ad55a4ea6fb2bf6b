"""Learning rates that change during training. Paddle keeps them in one module of this path.

decay.py     what they share                    by_step.py   at every minimize
by_epoch.py  where the program says `epoch()`   plateau.py   when the loss gets no better

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.dygraph.learning_rate_scheduler.by_epoch import (
    LambdaDecay,
    MultiStepDecay,
    StepDecay,
)
from refluid.paddle.fluid.dygraph.learning_rate_scheduler.by_step import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    LinearLrWarmup,
    NaturalExpDecay,
    NoamDecay,
    PiecewiseDecay,
    PolynomialDecay,
)
from refluid.paddle.fluid.dygraph.learning_rate_scheduler.decay import (
    LearningRateDecay as LearningRateDecay,  # Paddle too keeps it out of fluid.dygraph
)
from refluid.paddle.fluid.dygraph.learning_rate_scheduler.plateau import ReduceLROnPlateau

__all__ = [
    "CosineDecay",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LambdaDecay",
    "LinearLrWarmup",
    "MultiStepDecay",
    "NaturalExpDecay",
    "NoamDecay",
    "PiecewiseDecay",
    "PolynomialDecay",
    "ReduceLROnPlateau",
    "StepDecay",
]
