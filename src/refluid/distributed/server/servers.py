"""The launcher's side: has the servers started, says where to ask for them, and has them ended.

May import: env; its own package's cluster, head, plan.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any

from refluid import env
from refluid.distributed.server import head
from refluid.distributed.server.cluster import check
from refluid.distributed.server.plan import ServerPlan

__all__ = ["Servers"]

# Ray ends within 2 s
_END_S = 20.0


class Servers:
    """The parameter servers of one launch; a context manager.

    Args:
        plan: what is started. Its `address` is that of a Ray cluster, or None for one of our own;
            its namespace and its file are replaced by those of this launch.
        open_store: returns where checkpoints are kept, by a name that differs for each server and
            model: a `Store` of message.py. It is pickled, and called on the server; what it returns
            must be this launch's alone, and on several machines be seen by all.
    """

    def __init__(self, plan: ServerPlan, open_store: Callable[[str], Any]) -> None:
        name = f"refluid-{secrets.token_hex(8)}"
        file = os.path.join(tempfile.gettempdir(), f"{name}.json")
        self._plan = replace(plan, namespace=name, ready_file=file)
        self._open_store = open_store

    def __enter__(self) -> Servers:
        """Begin to start Ray, unless it is there, and the servers; trainers wait for them.

        Raises:
            DistributedError: Ray is not installed or is not there. That it does not start is an
                error of the trainers.

        Effects:
            Starts processes. They end with this block, or with this process however it ends.
        """
        check(self._plan.address)
        variables = env.own_ray() if self._plan.address is None else {}
        self._environment = {env.SERVERS: self._plan.encode(), **variables}
        self._head = subprocess.Popen(
            [sys.executable, "-m", head.__name__],
            env=env.worker_environment(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._say(head.encode(self._plan, self._open_store))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the servers, and Ray if it was started here."""
        with contextlib.suppress(BrokenPipeError), self._head:
            assert self._head.stdin is not None
            self._head.stdin.close()
            try:
                self._head.wait(_END_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._head.pid, signal.SIGKILL)

    def _say(self, line: str) -> None:
        assert self._head.stdin is not None
        # a head that has ended is noticed by the trainers
        with contextlib.suppress(BrokenPipeError):
            self._head.stdin.write(line)
            self._head.stdin.flush()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a trainer needs besides this process's own."""
        return dict(self._environment)

    def lost(self, rank: int) -> None:
        """Tell the servers that a trainer has died."""
        self._say(f"lost {rank}\n")
