"""The launcher's side: has the servers started, says where they are, and has them ended.

May import: env, errors; its own package's head, plan.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any

from refluid import env
from refluid.distributed.server import head
from refluid.distributed.server.plan import ServerPlan
from refluid.errors import DistributedError

__all__ = ["Servers"]

# Ray ends within 2 s
_END_S = 20.0


class Servers:
    """The parameter servers of one launch; a context manager.

    Args:
        plan: what is started. Its `address` is that of a Ray cluster, or None for one of our own;
            its namespace is replaced by one of this launch.
        open_store: returns where checkpoints are kept, by a name that differs for each server and
            model: a `Store` of message.py. It is pickled, and called on the server; what it returns
            must be this launch's alone, and on several machines be seen by all.
    """

    def __init__(self, plan: ServerPlan, open_store: Callable[[str], Any]) -> None:
        self._plan = replace(plan, namespace=f"refluid-{secrets.token_hex(4)}")
        self._open_store = open_store

    def __enter__(self) -> Servers:
        """Start Ray, unless it is there, and the servers.

        Raises:
            DistributedError: Ray is not installed, does not start or is not there.

        Effects:
            Starts processes. They end with this block, or with this process however it ends.
        """
        self._head = subprocess.Popen(
            [sys.executable, "-m", head.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            self._say(head.encode(self._plan, self._open_store))
            assert self._head.stdout is not None
            told = json.loads(self._head.stdout.readline() or "{}")
            if "plan" not in told:
                raise DistributedError(told.get("error", "Ray has ended while it was started."))
        except BaseException:
            self._end()
            raise
        self._environment = {env.SERVERS: told["plan"], **told["variables"]}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the servers, and Ray if it was started here."""
        self._end()

    def _end(self) -> None:
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
