"""How Paddle shall compile and run a program, as settings without a program.

`TracedLayer.set_strategy` takes them. They are kept, with the types that Paddle keeps, and nothing
follows from them: a traced Layer runs as it is.
May import: nothing.
"""

from __future__ import annotations

import copy
import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

__all__ = ["BuildStrategy", "ExecutionStrategy"]


class ReduceStrategy(enum.Enum):
    """How gradients of several devices come together."""

    AllReduce = 0
    Reduce = 1


class GradientScaleStrategy(enum.Enum):
    """How gradients of several devices are scaled."""

    CoeffNumDevice = 0
    One = 1
    Customized = 2


class _Settings:
    """Attributes of fixed names and types."""

    _defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def __init__(self) -> None:
        vars(self).update(copy.deepcopy(dict(self._defaults)))

    def __setattr__(self, name: str, value: Any) -> None:
        """Set one.

        Raises:
            AttributeError: Paddle 1.8 has no such setting.
            TypeError: it is of another type.
        """
        if name not in self._defaults:
            raise AttributeError(
                f"{type(self).__name__} has no setting {name!r}; it has "
                f"{', '.join(sorted(self._defaults))}."
            )
        expected = type(self._defaults[name])
        truth = expected is bool and isinstance(value, int)
        if not (truth or isinstance(value, expected) or self._defaults[name] is None):
            raise TypeError(
                f"`{name}` must be of type {expected.__name__}, but received {value!r}."
            )
        vars(self)[name] = bool(value) if truth else value


class BuildStrategy(_Settings):
    """How Paddle compiles a program; without effect here."""

    ReduceStrategy = ReduceStrategy
    GradientScaleStrategy = GradientScaleStrategy

    _defaults = MappingProxyType(
        {
            "async_mode": False,
            "cache_runtime_context": False,
            "debug_graphviz_path": "",
            "enable_auto_fusion": False,
            "enable_backward_optimizer_op_deps": True,
            "enable_inplace": True,
            "enable_sequential_execution": False,
            "fuse_all_optimizer_ops": False,
            "fuse_all_reduce_ops": True,
            "fuse_bn_act_ops": False,
            "fuse_broadcast_ops": True,
            "fuse_elewise_add_act_ops": False,
            "fuse_relu_depthwise_conv": False,
            "gradient_scale_strategy": GradientScaleStrategy.CoeffNumDevice,
            "hierarchical_allreduce_inter_nranks": 0,
            "is_distribution": False,
            "memory_optimize": None,
            "mkldnn_enabled_op_types": set(),
            "nccl_comm_num": 1,
            "num_trainers": 1,
            "reduce_strategy": ReduceStrategy.AllReduce,
            "remove_unnecessary_lock": True,
            "sync_batch_norm": False,
            "trainer_id": 0,
            "trainers_endpoints": [],
            "use_hierarchical_allreduce": False,
        }
    )


class ExecutionStrategy(_Settings):
    """How Paddle runs a compiled program; without effect here."""

    _defaults = MappingProxyType(
        {
            "allow_op_delay": False,
            "num_iteration_per_drop_scope": 100,
            "num_iteration_per_run": 1,
            "num_threads": 0,
            "use_cuda": True,
            "use_experimental_executor": True,
            "use_thread_barrier": False,
        }
    )
