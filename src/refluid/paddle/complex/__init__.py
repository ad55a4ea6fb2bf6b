"""`paddle.complex`: arithmetic on complex variables. May import: its own files."""

from __future__ import annotations

from refluid.paddle.complex import tensor
from refluid.paddle.complex.tensor import *  # noqa: F403

__all__: list[str] = []
__all__ += tensor.__all__
