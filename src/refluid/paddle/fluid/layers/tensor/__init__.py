"""Making variables, joining and converting them. Paddle keeps these in one module.

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.layers.tensor import (
    constant,
    join,
    matrix,
    order,
    variable,
)
from refluid.paddle.fluid.layers.tensor.constant import *  # noqa: F403
from refluid.paddle.fluid.layers.tensor.join import *  # noqa: F403
from refluid.paddle.fluid.layers.tensor.matrix import *  # noqa: F403
from refluid.paddle.fluid.layers.tensor.order import *  # noqa: F403
from refluid.paddle.fluid.layers.tensor.variable import *  # noqa: F403

__all__: list[str] = []
__all__ += constant.__all__
__all__ += join.__all__
__all__ += matrix.__all__
__all__ += order.__all__
__all__ += variable.__all__
