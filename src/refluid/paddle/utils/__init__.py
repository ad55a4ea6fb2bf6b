"""Small tools; of Paddle's, the one that draws curves. May import: utils.plot."""

from __future__ import annotations

from refluid.paddle.utils.plot import Ploter

__all__ = ["Ploter"]
