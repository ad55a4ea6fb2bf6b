"""`BackwardStrategy` under Paddle's path. May import: core_avx."""

from __future__ import annotations

from refluid.paddle.fluid.core_avx import BackwardStrategy

__all__ = ["BackwardStrategy"]
