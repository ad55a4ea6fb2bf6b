"""Steps of recurrent networks, under the path that Paddle gives them. May import: layers.rnn."""

from __future__ import annotations

from refluid.paddle.fluid.layers.rnn.basic import BasicGRUUnit, BasicLSTMUnit

__all__ = ["BasicGRUUnit", "BasicLSTMUnit"]
