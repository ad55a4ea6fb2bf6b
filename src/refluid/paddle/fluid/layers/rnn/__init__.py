"""Recurrent networks, one file for each family. Paddle keeps them in one module.

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.layers.rnn import (
    cell,
    unit,
)
from refluid.paddle.fluid.layers.rnn.cell import *  # noqa: F403
from refluid.paddle.fluid.layers.rnn.unit import *  # noqa: F403

__all__: list[str] = []
__all__ += cell.__all__
__all__ += unit.__all__
