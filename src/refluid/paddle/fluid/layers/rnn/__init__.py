"""Recurrent networks, one file for each family. Paddle keeps them in one module.

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.layers.rnn.cell import GRUCell, LSTMCell, RNNCell
from refluid.paddle.fluid.layers.rnn.unit import gru_unit, lstm_unit

__all__ = [
    "GRUCell",
    "LSTMCell",
    "RNNCell",
    "gru_unit",
    "lstm_unit",
]
