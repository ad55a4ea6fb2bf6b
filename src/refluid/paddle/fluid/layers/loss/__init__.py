"""Losses, one file for each family. Paddle keeps them in one module.

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.layers.loss import (
    classification,
    ranking,
    regression,
    sampled,
    sequence,
)
from refluid.paddle.fluid.layers.loss.classification import *  # noqa: F403
from refluid.paddle.fluid.layers.loss.ranking import *  # noqa: F403
from refluid.paddle.fluid.layers.loss.regression import *  # noqa: F403
from refluid.paddle.fluid.layers.loss.sampled import *  # noqa: F403
from refluid.paddle.fluid.layers.loss.sequence import *  # noqa: F403

__all__: list[str] = []
__all__ += classification.__all__
__all__ += ranking.__all__
__all__ += regression.__all__
__all__ += sampled.__all__
__all__ += sequence.__all__
