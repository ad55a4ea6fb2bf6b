"""`paddle.fluid.core`: the engine under its public name. May import: core_avx."""

from __future__ import annotations

from refluid.paddle.fluid.core_avx import *  # noqa: F403  (Paddle's core is its extension, renamed)
from refluid.paddle.fluid.core_avx import __all__  # noqa: F401
from refluid.paddle.fluid.core_avx.table import ops  # noqa: F401
