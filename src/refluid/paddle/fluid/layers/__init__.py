"""`fluid.layers`: the functions of the dynamic graph, under the names that Paddle gives them.

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.layers import (
    control_flow,
    detection,
    distributions,
    io,
    learning_rate_scheduler,
    loss,
    metric_op,
    nn,
    ops,
    sequence_lod,
    tensor,
)
from refluid.paddle.fluid.layers import rnn as _recurrent
from refluid.paddle.fluid.layers.control_flow import *  # noqa: F403
from refluid.paddle.fluid.layers.detection import *  # noqa: F403
from refluid.paddle.fluid.layers.distributions import *  # noqa: F403
from refluid.paddle.fluid.layers.io import *  # noqa: F403
from refluid.paddle.fluid.layers.learning_rate_scheduler import *  # noqa: F403
from refluid.paddle.fluid.layers.loss import *  # noqa: F403
from refluid.paddle.fluid.layers.metric_op import *  # noqa: F403
from refluid.paddle.fluid.layers.nn import *  # noqa: F403
from refluid.paddle.fluid.layers.ops import *  # noqa: F403
from refluid.paddle.fluid.layers.rnn import *  # noqa: F403
from refluid.paddle.fluid.layers.sequence_lod import *  # noqa: F403
from refluid.paddle.fluid.layers.tensor import *  # noqa: F403

__all__: list[str] = []
__all__ += control_flow.__all__
__all__ += detection.__all__
__all__ += distributions.__all__
__all__ += io.__all__
__all__ += learning_rate_scheduler.__all__
__all__ += loss.__all__
__all__ += metric_op.__all__
__all__ += nn.__all__
__all__ += ops.__all__
__all__ += _recurrent.__all__
__all__ += sequence_lod.__all__
__all__ += tensor.__all__
