"""What `refluid train` can be told.

May import: nothing but the standard library.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

__all__ = ["FIRST_RATES", "Decay", "OptimizerName", "TrainConfig"]


class OptimizerName(str, Enum):
    """How the parameters are updated."""

    SGD = "sgd"
    MOMENTUM = "momentum"
    ADAGRAD = "adagrad"
    RMSPROP = "rmsprop"
    ADAM = "adam"
    ADAMAX = "adamax"


class Decay(str, Enum):
    """How the learning rate falls from its first value to 1% of it at the last step."""

    NONE = "none"
    POLYNOMIAL = "polynomial"
    EXPONENTIAL = "exponential"
    COSINE = "cosine"


FIRST_RATES = {
    OptimizerName.SGD: 0.1,
    OptimizerName.MOMENTUM: 0.02,
    OptimizerName.ADAGRAD: 0.02,
    OptimizerName.RMSPROP: 0.001,
    OptimizerName.ADAM: 0.005,
    OptimizerName.ADAMAX: 0.01,
}
"""For each optimizer a learning rate at which it learns digits well."""

_MAX_SEED = 2**31 - 2


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One run of the ready-made program.

    Args:
        epochs: how often all images are gone through, those before a stop included.
        batch_size: images in a step.
        optimizer: how the parameters are updated.
        lr: the learning rate at the first step; None takes the optimizer's own of `FIRST_RATES`.
        decay: how the learning rate falls.
        l2: coefficient of the L2 regularization.
        seed: 1 to 2**31 - 2; the same seed gives the same numbers.
        out: the run's folder. A run that has begun there goes on.
        load: what a new run begins from: the folder of another run, or the common name of two
            files that it or Paddle 1.8 saved, or a `.pdparams` file for the parameters alone.
        patience: stop when so many validations in a row were not better than the best; None never.
        test: test the network when it is trained.
        inspect: look into the network's layers before training.

    Raises:
        ValueError: a value is out of its range.
    """

    epochs: int = 30
    batch_size: int = 32
    optimizer: OptimizerName = OptimizerName.ADAM
    lr: float | None = None
    decay: Decay = Decay.POLYNOMIAL
    l2: float = 0.0
    seed: int = 1
    out: Path = Path("runs/digits")
    load: Path | None = None
    patience: int | None = None
    test: bool = True
    inspect: bool = False

    def __post_init__(self) -> None:
        wrong = [
            f"`{name}` must be {expected}, but is {getattr(self, name)}"
            for name, expected, right in (
                ("epochs", "at least 1", self.epochs >= 1),
                ("batch_size", "at least 1", self.batch_size >= 1),
                ("lr", "above 0", 0 < self.first_rate < math.inf),
                ("l2", "at least 0", 0 <= self.l2 < math.inf),
                ("patience", "at least 1", self.patience is None or self.patience >= 1),
                ("seed", f"from 1 to {_MAX_SEED}", 1 <= self.seed <= _MAX_SEED),
            )
            if not right
        ]
        if wrong:
            raise ValueError("; ".join(wrong) + ".")

    @property
    def first_rate(self) -> float:
        """Return the learning rate of the first step."""
        return FIRST_RATES[self.optimizer] if self.lr is None else self.lr
