"""Contributed Layers; of them only the steps of recurrent networks.

May import: contrib.layers.rnn_impl.
"""

from __future__ import annotations

from refluid.paddle.fluid.contrib.layers.rnn_impl import BasicGRUUnit, BasicLSTMUnit

__all__ = ["BasicGRUUnit", "BasicLSTMUnit"]
