"""The optimizers of the dynamic graph, one family for each file. Paddle has one module here.

base.py         Optimizer: minimize, learning rate, state     accumulator.py  moments and the like
kernel.py       what torch has fused kernels for              rounding.py     32-bit settings
sgd.py momentum.py adagrad.py adam.py ftrl.py                  the update rules

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.optimizer.adagrad import (
    AdadeltaOptimizer,
    AdagradOptimizer,
    DecayedAdagradOptimizer,
    RMSPropOptimizer,
)
from refluid.paddle.fluid.optimizer.adam import AdamaxOptimizer, AdamOptimizer, LambOptimizer
from refluid.paddle.fluid.optimizer.base import Optimizer
from refluid.paddle.fluid.optimizer.ftrl import FtrlOptimizer
from refluid.paddle.fluid.optimizer.momentum import LarsMomentumOptimizer, MomentumOptimizer
from refluid.paddle.fluid.optimizer.sgd import DpsgdOptimizer, SGDOptimizer

__all__ = [
    "SGD",
    "Adadelta",
    "AdadeltaOptimizer",
    "Adagrad",
    "AdagradOptimizer",
    "Adam",
    "AdamOptimizer",
    "Adamax",
    "AdamaxOptimizer",
    "DecayedAdagrad",
    "DecayedAdagradOptimizer",
    "Dpsgd",
    "DpsgdOptimizer",
    "Ftrl",
    "FtrlOptimizer",
    "Lamb",
    "LambOptimizer",
    "LarsMomentum",
    "LarsMomentumOptimizer",
    "Momentum",
    "MomentumOptimizer",
    "Optimizer",
    "RMSProp",
    "RMSPropOptimizer",
    "SGDOptimizer",
]

Adadelta = AdadeltaOptimizer
Adagrad = AdagradOptimizer
Adam = AdamOptimizer
Adamax = AdamaxOptimizer
DecayedAdagrad = DecayedAdagradOptimizer
Dpsgd = DpsgdOptimizer
Ftrl = FtrlOptimizer
Lamb = LambOptimizer
LarsMomentum = LarsMomentumOptimizer
Momentum = MomentumOptimizer
RMSProp = RMSPropOptimizer
SGD = SGDOptimizer
