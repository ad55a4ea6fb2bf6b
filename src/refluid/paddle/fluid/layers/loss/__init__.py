"""Losses, one file for each family. Paddle keeps them in one module.

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.layers.loss import (
    classification,
)
from refluid.paddle.fluid.layers.loss.classification import *  # noqa: F403

__all__: list[str] = []
__all__ += classification.__all__
