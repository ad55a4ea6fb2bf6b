"""The process that holds Ray and the servers for a launcher, and ends them when that is gone.

What Ray starts belongs to this process, and this process to its standard input: when the launcher
closes it or is killed, there is nothing more to read, and Ray is shut down in order, which leaves
none of its processes and no files. It has a session of its own, so Ctrl-C does not reach it.

On standard input first what is to be started, then `lost RANK`, a line each.
May import: errors; its own package's actor, cluster, plan, ready.
"""

from __future__ import annotations

import base64
import contextlib
import pickle
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from refluid.distributed.server import ready
from refluid.distributed.server.actor import Server, actor_name
from refluid.distributed.server.cluster import connected, load_ray, started
from refluid.distributed.server.plan import ServerPlan
from refluid.errors import DistributedError

__all__ = ["encode", "main"]


def encode(plan: ServerPlan, open_store: Callable[[str], Any]) -> str:
    """Return the first line that `main` reads. It passes between processes of one launch only."""
    return base64.b64encode(pickle.dumps((plan, open_store))).decode() + "\n"


def main(lines: Iterable[str]) -> None:
    """Start what the first line says, do what the next ones say, and end it with the last."""
    source = iter(lines)
    plan, open_store = pickle.loads(base64.b64decode(next(source)))
    file = Path(plan.ready_file)
    with contextlib.ExitStack() as stack:
        stack.callback(file.unlink, missing_ok=True)
        try:
            if plan.address is None:
                address = stack.enter_context(started())
            else:
                stack.enter_context(connected(address := plan.address, plan.namespace))
            actors = _start(plan, open_store)
        except Exception as error:
            # the trainers wait for a word, whatever it was
            own = isinstance(error, DistributedError)
            ready.tell(file, error=str(error) if own else f"Ray does not start: {error!r}")
            actors = []
        else:
            stack.callback(_end, actors)
            ready.tell(file, address=address)
        for line in source:
            rank = int(line.removeprefix("lost "))
            for actor in actors:
                actor.lost.remote(rank)


def _start(plan: ServerPlan, open_store: Callable[[str], Any]) -> list[Any]:
    kind = load_ray().remote(Server)
    return [
        kind.options(
            name=actor_name(index),
            namespace=plan.namespace,
            # it waits for trainers, and computes little
            num_cpus=0,
            max_restarts=-1,
        ).remote(index, plan, open_store)
        for index in range(plan.num_servers)
    ]


def _end(actors: list[Any]) -> None:
    ray = load_ray()
    for actor in actors:
        with contextlib.suppress(ray.exceptions.RayError):
            ray.kill(actor)


if __name__ == "__main__":
    main(sys.stdin)
