"""Data parallel training: each process has the whole model and its share of the data.

`prepare_context` meets the other processes, `DataParallel` makes all of them begin with rank 0's
parameters and sums the gradients. What exchanges them is `refluid.distributed`. In one process
nothing is exchanged.
May import: refluid.distributed, refluid.env, refluid.errors, core_avx, layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from refluid import env
from refluid.distributed.gradients import GradientSum
from refluid.distributed.group import join, joined
from refluid.distributed.same import broadcast
from refluid.distributed.server.trainer import Trainer
from refluid.errors import DistributedError
from refluid.paddle.fluid.core_avx import ParallelStrategy, VarBase
from refluid.paddle.fluid.core_avx.tracer import current_place
from refluid.paddle.fluid.core_avx.variable import from_numpy, wrap
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.framework import in_dygraph_mode

__all__ = ["DataParallel", "Env", "ParallelEnv", "prepare_context"]


class ParallelEnv:
    """What a launcher told this process, read from the environment. Same as Paddle 1.8."""

    def __init__(self) -> None:
        self._nranks = env.world_size()
        self._local_rank = env.rank()
        self._dev_id = env.selected_gpu()
        self._trainer_endpoints = env.trainer_endpoints()
        self._current_endpoint = env.current_endpoint()

    @property
    def nranks(self) -> int:
        """The number of processes."""
        return self._nranks

    @property
    def local_rank(self) -> int:
        """The number of this process, from 0."""
        return self._local_rank

    @property
    def dev_id(self) -> int:
        """The GPU of this process."""
        return self._dev_id

    @property
    def current_endpoint(self) -> str:
        """This process's `host:port`."""
        return self._current_endpoint

    @property
    def trainer_endpoints(self) -> list[str]:
        """Every process's `host:port`."""
        return self._trainer_endpoints


Env = ParallelEnv


def prepare_context(strategy: ParallelStrategy | None = None) -> ParallelStrategy | None:
    """Meet the other processes that a launcher started.

    Same as Paddle 1.8 in one process, where the result is the given strategy or None. With several
    the collectives go by NCCL if the guard's place is a GPU, by gloo if it is the CPU, where Paddle
    has none.

    Args:
        strategy: how many processes, and which this is; by default what the launcher said.

    Raises:
        DistributedError: a rank is missing or there twice, the address of rank 0 cannot be used or
            reached, or the processes run different programs.
        AssertionError: no guard is open.

    Effects:
        A collective, if there are several processes.
    """
    if strategy is None:
        found = ParallelEnv()
        if found.nranks < 2:
            return None
        strategy = ParallelStrategy(
            found.nranks, found.local_rank, found.trainer_endpoints, found.current_endpoint
        )
    if strategy.nranks < 2:
        return strategy
    assert in_dygraph_mode(), (
        "prepare_context works in the dynamic graph only: call it inside "
        "`with fluid.dygraph.guard(place):`."
    )
    if env.servers() is not None:
        # gradients go to servers, and no process meets another
        return strategy
    place = current_place()
    join(
        "nccl" if place.device.type == "cuda" else "gloo",
        rank=strategy.local_rank,
        world_size=strategy.nranks,
        master=env.master() or next(iter(strategy.trainer_endpoints), None),
    )
    return strategy


class DataParallel(Layer):
    """Wrap a model for data parallel training.

    Same as Paddle 1.8, but for a strategy of None, which works here in one process. All processes
    begin with the parameters of rank 0.

    Differs from Paddle: a parameter that has a gradient in some processes only gets the sum in all,
    where Paddle waits forever; sparse gradients are gathered, where Paddle sums dense ones alone.

    Args:
        layers: the model, with all its parameters.
        strategy: what `prepare_context` returned.

    Raises:
        DistributedError: a rank's model has other parameters or shapes, or there are several
            processes and `prepare_context` was not called.
        PeerLost: another process does not come here.

    Effects:
        A collective, if there are several processes. `loss.backward()` then begins to sum.
    """

    def __init__(self, layers: Layer, strategy: ParallelStrategy | None) -> None:
        super().__init__(layers.full_name() + "_data_parallel")
        self._layers = layers
        self._strategy = strategy
        self._sum: GradientSum | None = None
        self._trainer: Trainer | None = None
        if env.servers() is not None:
            self._trainer = Trainer(dict(self._layers.named_parameters()))
            self._trainer.open()
        elif self._is_data_parallel_mode():
            self._begin()

    def _begin(self) -> None:
        group = joined()
        if group is None:
            raise DistributedError(
                "DataParallel: the strategy has several processes, but they have not met: use what "
                "fluid.dygraph.parallel.prepare_context() returns."
            )
        broadcast(self._layers, group)
        self._sum = GradientSum(group, self._layers.parameters())

    def _is_data_parallel_mode(self) -> bool:
        return self._strategy is not None and self._strategy.nranks > 1

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Run the model."""
        return self._layers(*inputs, **kwargs)

    def scale_loss(self, loss: VarBase) -> VarBase:
        """Divide the loss by the number of processes. Same as Paddle 1.8."""
        assert isinstance(loss, VarBase), f"`loss` must be a Variable, but received {loss!r}."
        if self._strategy is None or self._strategy.nranks < 2:
            return loss
        count = np.array([self._strategy.nranks], np.float32)
        return wrap(loss / from_numpy(count, current_place()))

    def apply_collective_grads(self) -> None:
        """Replace the parameters' gradients by their sums over all processes.

        Same as Paddle 1.8: call it in every process, after `loss.backward()`.

        Raises:
            PeerLost: another process has ended, has failed, or does not come here.
            DistributedError: the model has got parameters since it was wrapped.

        Effects:
            A collective, if there are several processes.
        """
        if self._sum is None:
            return
        self._sum.check(self._layers.parameters())
        self._sum.apply()

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the model's own state dictionary, without a prefix."""
        return self._layers.state_dict(*args, **kwargs)

    def set_dict(self, *args: Any, **kwargs: Any) -> None:
        """Overwrite the model's parameters."""
        self._layers.set_dict(*args, **kwargs)

    load_dict = set_dict
