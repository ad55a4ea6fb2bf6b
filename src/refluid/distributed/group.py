"""The processes that have found each other, and what they can say to each other.

They meet first (`meeting`), then torch.distributed connects them. Whatever they say to each other
besides tensors, at checkpoints and about errors, goes as JSON through rank 0's store. A collective
that fails becomes an error that names the rank which is missing.
May import: torch, env, errors, meeting, peer.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import distributed

from refluid import env
from refluid.distributed import peer
from refluid.distributed.meeting import AGAIN, meet
from refluid.errors import DeviceError, DistributedError, PeerLost, RefluidError

__all__ = ["Group", "join", "joined"]

_BACKENDS = ("gloo", "nccl")
# with which torch starts CUDA's generators in every process
_CUDA_SEED = 67280421310721


class Group:
    """The processes that train together.

    Attributes:
        rank: this one's number, from 0.
        world_size: how many there are.
        device: where this process's tensors are for collectives.
        timeout_s: how long one waits for another.
    """

    def __init__(
        self,
        rank: int,
        world_size: int,
        device: torch.device,
        store: distributed.Store,
        timeout_s: float,
    ) -> None:
        self.rank = rank
        self.world_size = world_size
        self.device = device
        self.timeout_s = timeout_s
        self.num_sums = 0
        self._store = store
        self._num_gathers = self._num_talks = 0
        # nobody who has lost another waits for a third, in any thread
        self._lost = threading.Event()

    def gather(self, value: Any, what: str = "exchange values") -> list[Any]:
        """Exchange a value with all others; every process has to call it.

        Args:
            value: anything that JSON can hold.
            what: what is done by it, as an error would say: `rank 1 cannot ...`.

        Returns:
            The values of all ranks, in their order.

        Raises:
            PeerLost: another process has ended or does not call this within the timeout.

        Effects:
            A collective. It goes through rank 0's store and is not made for large values.
        """
        if self.world_size == 1:
            return [json.loads(json.dumps(value))]
        self._num_gathers += 1
        keys = [f"gather/{self._num_gathers}/{k}" for k in range(self.world_size)]
        self.post(keys[self.rank], value, what)
        return self.read(keys, what)

    def post(self, key: str, value: Any, what: str) -> None:
        """Let the others read a value under a key that nobody has used; from any thread.

        Raises:
            PeerLost: rank 0, which keeps it, is gone.
        """
        with self.waiting(what):
            self._store.set(key, json.dumps(value))

    def read(self, keys: Sequence[str], what: str, timeout_s: float | None = None) -> list[Any]:
        """Wait until values are there under all keys, one for each rank, and return them.

        Args:
            keys: that of rank 0 first.
            what: what is done by it, as an error would say.
            timeout_s: how long to wait; by default as long as for everything.

        Raises:
            PeerLost: another process has ended or does not post within the timeout, or this one has
                lost another elsewhere.
        """
        timeout_s = self.timeout_s if timeout_s is None else timeout_s
        with self.waiting(what):
            missing = peer.wait_for(self._store, keys, timeout_s, self._lost)
            if missing:
                raise PeerLost(self.explain(what, missing))
            return [json.loads(self._store.get(key)) for key in keys]

    def talk(self) -> int:
        """Return the number of a new conversation, the same in all ranks that begin it together."""
        self._num_talks += 1
        return self._num_talks

    def give_up(self) -> None:
        """Have nobody in this process wait for others any more: one is lost."""
        self._lost.set()

    def forget(self, keys: Sequence[str]) -> None:
        """Take values away that all have read; from any thread."""
        with contextlib.suppress(RuntimeError):
            for key in keys:
                self._store.delete_key(key)

    def barrier(self, what: str = "wait for all ranks") -> None:
        """Wait until all processes have come here; raises as `gather` does."""
        self.gather(None, what)

    def check_whole(self) -> None:
        """See to it that no other process was started again since all have met.

        Raises:
            PeerLost: one was, and waits for all others to be started again too.
        """
        with self.waiting("look for the other ranks"):
            if self.world_size > 1 and self._store.check([AGAIN]):
                other = self._store.get(AGAIN).decode()
                raise PeerLost(
                    f"rank {other} was started again, so that rank {self.rank} has to start again "
                    "too."
                )

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Turn errors of collectives within the block into one that says who is missing.

        Args:
            what: what is done, as an error would say: `rank 1 cannot ...`.

        Raises:
            PeerLost: within the block a collective has failed.
        """
        try:
            yield
        except RefluidError:
            raise
        except RuntimeError as error:
            raise PeerLost(self.explain(what, None, error)) from None

    def explain(
        self, what: str, missing: list[int] | None, error: RuntimeError | None = None
    ) -> str:
        """Return why this process cannot do `what`: who has ended, failed, or not arrived."""
        self._lost.set()
        state = peer.State(self.rank, self.world_size, self.num_sums, self.timeout_s)
        return peer.explain(self._store, state, what, missing, error)

    def leave(self) -> None:
        """Tell the others that this process ends, and close the connections."""
        global _group
        if _group is not self:
            return
        _group = None
        failure = getattr(sys, "last_type", None)
        if failure is not None and issubclass(failure, PeerLost):
            # the others know, and closing would wait for the one that is gone
            return
        if self.world_size > 1:
            peer.note(self._store, self.rank, self.num_sums, failure)
        if distributed.is_initialized():
            distributed.destroy_process_group()


_group: Group | None = None


def joined() -> Group | None:
    """Return the group that this process has joined, or None."""
    return _group


def join(
    backend: str | None = None,
    *,
    rank: int | None = None,
    world_size: int | None = None,
    master: str | None = None,
) -> Group:
    """Meet the other processes of this launch, so that torch.distributed works.

    A program for PyTorch calls it once, before it uses torch.distributed or wraps its model in
    torch.nn.parallel.DistributedDataParallel. Without a launcher it is a group of one process.

    Args:
        backend: "gloo" or "nccl"; by default nccl where there is a GPU, else gloo.
        rank: this process's number; by default as the launcher says, like all that follow.
        world_size: how many processes there are.
        master: `HOST:PORT` where rank 0 listens.

    Returns:
        The group; the same one if it was joined before.

    Raises:
        DistributedError: a rank is missing, is there twice, or is none; the ranks count different
            numbers or run different programs; the address cannot be used or reached.
        DeviceError: `backend` is nccl, and the GPU is not there.

    Effects:
        A collective. Rank 0 listens at `master`. The process group of torch.distributed is made,
        and closed at the process's end. With nccl the process's GPU becomes the current one, and
        CUDA's generators, if nobody has seeded them, give other numbers in each rank.
    """
    global _group
    if _group is not None:
        return _group
    rank = env.rank() if rank is None else rank
    world_size = env.world_size() if world_size is None else world_size
    if world_size < 1 or not 0 <= rank < world_size:
        raise DistributedError(
            f"this process has rank {rank} (PADDLE_TRAINER_ID or RANK), which must be from 0 to "
            f"{world_size - 1}, as there are {world_size} processes (PADDLE_TRAINERS_NUM or "
            "WORLD_SIZE)."
        )
    backend = backend or _default_backend()
    if backend not in _BACKENDS:
        raise DistributedError(f"`backend` must be gloo or nccl, but is {backend!r}.")
    device = _device(backend, rank)
    if distributed.is_initialized():
        raise DistributedError(
            "torch.distributed was initialized by the program: call refluid.distributed.join() in "
            "place of init_process_group()."
        )
    timeout_s = env.timeout_s()
    if world_size == 1:
        store: distributed.Store = distributed.HashStore()
    else:
        store = meet(rank, world_size, master or env.master(), timeout_s)
    group = Group(rank, world_size, device, store, timeout_s)
    with group.waiting("connect to the other ranks"):
        distributed.init_process_group(
            backend,
            store=distributed.PrefixStore("torch", store),
            rank=rank,
            world_size=world_size,
            timeout=datetime.timedelta(seconds=timeout_s),
        )
    _group = group
    atexit.register(group.leave)
    return group


def _default_backend() -> str:
    return "nccl" if env.forced_device() != "cpu" and torch.cuda.is_available() else "gloo"


def _device(backend: str, rank: int) -> torch.device:
    if backend == "gloo":
        return torch.device("cpu")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    gpu = env.selected_gpu()
    if gpu >= count:
        there = f"{count} GPU(s)" if count else "no GPU that torch can use"
        raise DeviceError(
            f"rank {rank} is to use GPU {gpu}, but this machine has {there}: start fewer "
            "processes, or use the CPUs with `python -m refluid --device cpu`."
        )
    torch.cuda.set_device(gpu)
    if rank and torch.cuda.initial_seed() == _CUDA_SEED:
        torch.cuda.manual_seed(_CUDA_SEED + rank)
    return torch.device("cuda", gpu)
