"""What Paddle 1.8 kept apart as contributed; of it a reader and steps of recurrent networks.

May import: contrib.layers, contrib.reader.
"""

from __future__ import annotations

from refluid.paddle.fluid.contrib.layers import BasicGRUUnit, BasicLSTMUnit
from refluid.paddle.fluid.contrib.reader import distributed_batch_reader

__all__ = ["BasicGRUUnit", "BasicLSTMUnit", "distributed_batch_reader"]
