"""Functions of the dynamic graph, one file for each family. Paddle keeps them in one module.

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.layers.nn import (
    activation,
    connect,
    conv,
    counter,
    crf,
    elementwise,
    image,
    index,
    layout,
    loss,
    metric,
    norm,
    padding,
    pool,
    product,
    random,
    reduction,
    resize,
    sample,
    sequence,
)
from refluid.paddle.fluid.layers.nn.activation import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.connect import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.conv import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.counter import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.crf import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.elementwise import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.image import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.index import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.layout import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.loss import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.metric import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.norm import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.padding import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.pool import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.product import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.random import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.reduction import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.resize import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.sample import *  # noqa: F403
from refluid.paddle.fluid.layers.nn.sequence import *  # noqa: F403

__all__: list[str] = []
__all__ += activation.__all__
__all__ += connect.__all__
__all__ += conv.__all__
__all__ += counter.__all__
__all__ += crf.__all__
__all__ += elementwise.__all__
__all__ += image.__all__
__all__ += index.__all__
__all__ += layout.__all__
__all__ += loss.__all__
__all__ += metric.__all__
__all__ += norm.__all__
__all__ += padding.__all__
__all__ += pool.__all__
__all__ += product.__all__
__all__ += random.__all__
__all__ += reduction.__all__
__all__ += resize.__all__
__all__ += sample.__all__
__all__ += sequence.__all__
