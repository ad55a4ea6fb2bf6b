"""One parameter server as Ray sees it: an actor that holds a `Shard` of each model of the program.

Most programs have one model on servers; the next ones that they make come to the same servers. The
launcher names this class and never loads torch; the server's process does, when it begins.
May import: memory; its own package's plan; shard when it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from refluid.distributed.server.plan import ServerPlan
from refluid.memory import uncollected

if TYPE_CHECKING:
    from refluid.distributed.server.shard import Shard

__all__ = ["Server", "actor_name"]


def actor_name(index: int) -> str:
    """Return what a server is called in its namespace."""
    return f"server-{index}"


class Server:
    """A server's process.

    Args:
        index: which of the servers it is.
        plan: how trainers and servers work together.
        open_store: returns where checkpoints are kept, by a name that differs for each server and
            model.
    """

    def __init__(self, index: int, plan: ServerPlan, open_store: Callable[[str], Any]) -> None:
        with uncollected():
            # the launcher, which imports this module, does not wait for torch
            import torch

        torch.set_num_threads(1)
        self._index = index
        self._plan = plan
        self._open_store = open_store
        self._shards: dict[int, Shard] = {}

    async def call(self, model: int, method: str, *arguments: Any) -> Any:
        """Call a method of the shard of a model, the first being 0."""
        return await getattr(self._shard(model), method)(*arguments)

    async def waiting(self, model: int = 0) -> str:
        """Return which trainers are waited for."""
        return self._shard(model).waiting()

    async def lost(self, rank: int) -> None:
        """Note that a trainer has died."""
        for shard in self._shards.values():
            await shard.lost(rank)

    def _shard(self, model: int) -> Shard:
        # as above
        from refluid.distributed.server.shard import Shard

        shard = self._shards.get(model)
        if shard is None:
            store = self._open_store(f"server-{self._index}-model-{model}")
            shard = self._shards[model] = Shard(self._index, self._plan, store)
        return shard
