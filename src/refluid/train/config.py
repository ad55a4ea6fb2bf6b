"""What `refluid train` can be told.

May import: nothing but the standard library.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DECAYS", "OPTIMIZERS", "TrainConfig"]

OPTIMIZERS = {
    "sgd": 0.1,
    "momentum": 0.02,
    "adagrad": 0.02,
    "rmsprop": 0.001,
    "adam": 0.005,
    "adamax": 0.01,
}
"""The optimizers by name, each with a learning rate at which it learns digits well."""

DECAYS = ("none", "polynomial", "exponential", "cosine")
"""How the learning rate may fall from its first value to (nearly) nothing at the last step."""

_MAX_SEED = 2**31 - 2


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One run of the ready-made program.

    Args:
        epochs: how often all images are gone through, those before `load` included.
        batch_size: images in a step.
        optimizer: one of `OPTIMIZERS`.
        learning_rate: at the first step; None takes the optimizer's own.
        decay: one of `DECAYS`.
        l2: coefficient of the L2 regularization.
        seed: 1 to 2**31 - 2; the same seed gives the same numbers.
        out: the folder for what the run leaves behind.
        load: what an earlier run saved, to go on from: its folder, or the files' common name.

    Raises:
        ValueError: a value is out of its range.
    """

    epochs: int = 30
    batch_size: int = 32
    optimizer: str = "adam"
    learning_rate: float | None = None
    decay: str = "polynomial"
    l2: float = 0.0
    seed: int = 1
    out: Path = Path("runs/digits")
    load: Path | None = None

    def __post_init__(self) -> None:
        wrong = [
            f"`{name}` must be {expected}, but is {getattr(self, name)!r}"
            for name, expected, right in (
                ("epochs", "at least 1", self.epochs >= 1),
                ("batch_size", "at least 1", self.batch_size >= 1),
                ("optimizer", f"one of {', '.join(OPTIMIZERS)}", self.optimizer in OPTIMIZERS),
                ("learning_rate", "above 0", 0 < self.first_rate < math.inf),
                ("decay", f"one of {', '.join(DECAYS)}", self.decay in DECAYS),
                ("l2", "at least 0", 0 <= self.l2 < math.inf),
                ("seed", f"from 1 to {_MAX_SEED}", 1 <= self.seed <= _MAX_SEED),
            )
            if not right
        ]
        if wrong:
            raise ValueError("; ".join(wrong) + ".")

    @property
    def first_rate(self) -> float:
        """Return the learning rate of the first step."""
        if self.learning_rate is not None:
            return self.learning_rate
        return OPTIMIZERS.get(self.optimizer, 1.0)
