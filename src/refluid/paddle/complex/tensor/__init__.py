"""The functions of `paddle.complex`. May import: its own files."""

from __future__ import annotations

from refluid.paddle.complex.tensor import linalg, manipulation, math
from refluid.paddle.complex.tensor.linalg import *  # noqa: F403
from refluid.paddle.complex.tensor.manipulation import *  # noqa: F403
from refluid.paddle.complex.tensor.math import *  # noqa: F403

__all__: list[str] = []
__all__ += math.__all__
__all__ += manipulation.__all__
__all__ += linalg.__all__
