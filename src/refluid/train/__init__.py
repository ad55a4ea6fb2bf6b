"""The ready-made program behind `refluid train`: digit recognition with everything on.

May import: train.config, train.history, train.program.
"""

from __future__ import annotations

from refluid.train.config import DECAYS, OPTIMIZERS, TrainConfig
from refluid.train.history import Epoch, History, Score, Step
from refluid.train.program import Outcome, Reporter, train

__all__ = [
    "DECAYS",
    "OPTIMIZERS",
    "Epoch",
    "History",
    "Outcome",
    "Reporter",
    "Score",
    "Step",
    "TrainConfig",
    "train",
]
