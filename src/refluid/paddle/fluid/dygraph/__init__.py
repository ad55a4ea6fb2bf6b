"""The dynamic graph: Layers, gradients, checkpoints, learning rates.

May import: its own files, core_avx.
"""

from __future__ import annotations

from refluid.paddle.fluid.core_avx import Tracer
from refluid.paddle.fluid.dygraph import (
    backward_strategy,
    base,
    checkpoint,
    container,
    dygraph_to_static,
    jit,
    layers,
    learning_rate_scheduler,
    nn,
    parallel,
)
from refluid.paddle.fluid.dygraph.backward_strategy import BackwardStrategy
from refluid.paddle.fluid.dygraph.base import *  # noqa: F403
from refluid.paddle.fluid.dygraph.checkpoint import *  # noqa: F403
from refluid.paddle.fluid.dygraph.container import *  # noqa: F403
from refluid.paddle.fluid.dygraph.jit import *  # noqa: F403
from refluid.paddle.fluid.dygraph.layers import *  # noqa: F403
from refluid.paddle.fluid.dygraph.learning_rate_scheduler import *  # noqa: F403
from refluid.paddle.fluid.dygraph.nn import *  # noqa: F403
from refluid.paddle.fluid.dygraph.parallel import DataParallel, ParallelEnv, prepare_context

__all__ = [
    "BackwardStrategy",
    "DataParallel",
    "ParallelEnv",
    "Tracer",
    "backward_strategy",
    "dygraph_to_static",
    "jit",
    "parallel",
    "prepare_context",
]
__all__ += base.__all__
__all__ += checkpoint.__all__
__all__ += container.__all__
__all__ += jit.__all__
__all__ += layers.__all__
__all__ += learning_rate_scheduler.__all__
__all__ += nn.__all__
