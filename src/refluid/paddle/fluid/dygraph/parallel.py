"""Data parallel training as a program writes it; for now with one process.

In one process these do what Paddle's do there: the loss and the gradients stay as they are.
May import: refluid.env, refluid.errors, core_avx, layers.
"""

from __future__ import annotations

from typing import Any

from refluid import env
from refluid.errors import UnsupportedFluidAPI
from refluid.paddle.fluid.core_avx import ParallelStrategy, VarBase
from refluid.paddle.fluid.dygraph.layers import Layer

__all__ = ["DataParallel", "Env", "ParallelEnv", "prepare_context"]


class ParallelEnv:
    """What a launcher told this process, read from the environment. Same as Paddle 1.8."""

    def __init__(self) -> None:
        self._nranks = env.num_trainers()
        self._local_rank = env.trainer_id()
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
    """Prepare for training together with other processes.

    Same as Paddle 1.8 in one process, where the result is the given strategy or None.

    Raises:
        UnsupportedFluidAPI: a launcher started several processes.
    """
    count = strategy.nranks if strategy is not None else ParallelEnv().nranks
    if count > 1:
        raise UnsupportedFluidAPI(
            f"prepare_context: training in {count} processes is not implemented yet; start the "
            "program itself, without paddle.distributed.launch, to train in one."
        )
    return strategy


class DataParallel(Layer):
    """Wrap a model for data parallel training.

    Same as Paddle 1.8 in one process, but for a strategy of None, which works here.

    Args:
        layers: the model.
        strategy: what `prepare_context` returned.
    """

    def __init__(self, layers: Layer, strategy: ParallelStrategy | None) -> None:
        super().__init__(layers.full_name() + "_data_parallel")
        self._layers = layers
        self._strategy = strategy

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Run the model."""
        return self._layers(*inputs, **kwargs)

    def scale_loss(self, loss: VarBase) -> VarBase:
        """Divide the loss by the number of processes."""
        assert isinstance(loss, VarBase), f"`loss` must be a Variable, but received {loss!r}."
        return loss

    def apply_collective_grads(self) -> None:
        """Sum the gradients over all processes."""

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the model's own state dictionary, without a prefix."""
        return self._layers.state_dict(*args, **kwargs)

    def set_dict(self, *args: Any, **kwargs: Any) -> None:
        """Overwrite the model's parameters."""
        self._layers.set_dict(*args, **kwargs)

    load_dict = set_dict
