"""Recurrent networks, one file for each family. Paddle keeps them in one module.

`dynamic_lstm`, `dynamic_lstmp`, `dynamic_gru`, `beam_search` and `beam_search_decode`, which need
sequences of varying length (LoD), and `lstm`, which Paddle's CPU kernels lack, are not here.
May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.layers.rnn.beam import BeamSearchDecoder
from refluid.paddle.fluid.layers.rnn.cell import GRUCell, LSTMCell, RNNCell
from refluid.paddle.fluid.layers.rnn.decode_helper import (
    DecodeHelper,
    GreedyEmbeddingHelper,
    SampleEmbeddingHelper,
    TrainingHelper,
)
from refluid.paddle.fluid.layers.rnn.decoder import BasicDecoder, Decoder, dynamic_decode
from refluid.paddle.fluid.layers.rnn.unit import gru_unit, lstm_unit
from refluid.paddle.fluid.layers.rnn.unroll import rnn

__all__ = [
    "BasicDecoder",
    "BeamSearchDecoder",
    "DecodeHelper",
    "Decoder",
    "GRUCell",
    "GreedyEmbeddingHelper",
    "LSTMCell",
    "RNNCell",
    "SampleEmbeddingHelper",
    "TrainingHelper",
    "dynamic_decode",
    "gru_unit",
    "lstm_unit",
    "rnn",
]
