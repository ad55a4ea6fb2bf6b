"""Read and map ahead of the consumer, in worker processes.

`Worker` is one forked process with a connection to it. The two functions above it are generators
that start their workers with the first item that is asked for, and end them when the generator
ends, is closed, or is dropped by a `break`. Results come in a fixed order, whichever worker is
faster, so that a run can be repeated.

Nothing waits forever and nothing is left behind: the death of a worker is an error in the consumer,
an exception in the user's code is raised in the consumer with the worker's traceback as its cause,
and a worker whose parent is gone, however it died, ends itself within a second.

Workers are forked because readers are mostly closures and lambdas, which cannot be sent to a fresh
process. A forked process must not use CUDA.
May import: torch, refluid.data.channel.
"""

from __future__ import annotations

import atexit
import itertools
import multiprocessing
import os
import pickle
import queue
import signal
import socket
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

import torch

from refluid.data import channel

__all__ = ["Worker", "can_fork", "map_in_workers", "read_in_workers"]

T = TypeVar("T")
R = TypeVar("R")

_GRACE_S = 5.0  # how long a closing consumer waits for a worker to come to its next item
_WATCH_S = 1.0  # how often each side looks whether the other is alive


def can_fork() -> bool:
    """Return whether this system can start workers; Windows cannot."""
    return "fork" in multiprocessing.get_all_start_methods()


def read_in_workers(
    sources: Sequence[Callable[[], Iterable[T]]], ahead: int, *, share: bool = True
) -> Iterator[T]:
    """Iterate every source in a process of its own; take one item from each in turn.

    Args:
        sources: each is called once, in its worker; those that have ended are passed over.
        ahead: how many items each worker may be before the consumer, at least 1.
        share: pass large arrays through shared memory.

    Raises:
        BaseException: whatever a source raised, with the worker's traceback as `__cause__`.
        RuntimeError: a worker died.
    """
    workers = [Worker[T](partial(_pace, source), share=share) for source in sources]
    refill = max(1, ahead // 2)
    try:
        for worker in workers:
            worker.start()
            worker.request(ahead)
        live = list(workers)
        for count in itertools.count(1):
            for worker in list(live):
                item = worker.receive()
                if item is channel.END:
                    live.remove(worker)
                    continue
                if count % refill == 0:
                    worker.request(refill)
                yield item
            if not live:
                break
    finally:
        _close(workers)


def map_in_workers(
    function: Callable[[T], R],
    tasks: Iterable[T],
    num_workers: int,
    ahead: int,
    *,
    begin: Callable[[int], object] | None = None,
    share: bool = True,
) -> Iterator[R]:
    """Call `function` on every task in worker processes; results come in the order of `tasks`.

    Args:
        function: called in a worker; tasks are dealt to the workers in turn.
        tasks: iterated in this process, at most `ahead` before the result that is waited for.
        num_workers: how many processes.
        ahead: how many tasks are given out before the first result is waited for.
        begin: called in each worker first, with its number from 0.
        share: pass large arrays through shared memory.

    Raises:
        BaseException: whatever `function` or `begin` raised, with the worker's traceback as
            `__cause__`.
        RuntimeError: a worker died.
    """
    workers = [
        Worker[R](partial(_serve, function, begin, number), share=share)
        for number in range(num_workers)
    ]
    pending: deque[Worker[R]] = deque()
    try:
        for worker in workers:
            worker.start()
        for worker, task in zip(itertools.cycle(workers), tasks):
            worker.request(task)
            pending.append(worker)
            if len(pending) > ahead:
                yield pending.popleft().receive()
        while pending:
            yield pending.popleft().receive()
    finally:
        _close(workers)


class Worker(Generic[T]):
    """A forked process that runs `body(requests)` and sends everything that it yields.

    Args:
        body: called in the worker with an iterator over what `request` sends.
        share: pass large arrays through shared memory.
    """

    def __init__(self, body: Callable[[Iterator[Any]], Iterable[T]], *, share: bool) -> None:
        self._body = body
        self._share = share
        self._parent = os.getpid()
        self._process: Any = None
        self._connection: Any = None

    def start(self) -> None:
        """Fork the process."""
        context = multiprocessing.get_context("fork")
        self._connection, theirs = context.Pipe(duplex=True)
        self._process = context.Process(target=self._run, args=(theirs,), name="refluid-worker")
        with warnings.catch_warnings():
            # Python 3.12 warns of any thread at a fork, and torch always has some
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        theirs.close()
        _running.add(self)

    def request(self, message: Any) -> None:
        """Send a message to the worker; `receive` tells if it is dead."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.send_bytes(pickle.dumps(message, protocol=5))

    def receive(self) -> T:
        """Wait for the next item and return it, or `channel.END` after the last.

        Raises:
            BaseException: whatever the body raised, with the worker's traceback as `__cause__`.
            RuntimeError: the worker died.
        """
        try:
            # another process may have inherited the worker's end, and then no end of file comes
            while not self._connection.poll(_WATCH_S):
                if not self._process.is_alive() and not self._connection.poll(0):
                    raise RuntimeError(self._death())
            item: T = channel.receive(self._connection)
            return item
        except (EOFError, ConnectionResetError) as error:
            # the user's own EOFError comes with its traceback as the cause
            if error.__cause__ is not None:
                raise
            raise RuntimeError(self._death()) from None

    def close(self) -> None:
        """End the process: politely, then by force. It may be called again."""
        if not self._is_ours():
            return
        self.hang_up()
        self._process.join(_GRACE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()
        self._connection.close()
        self._process = None
        _running.discard(self)

    def hang_up(self) -> None:
        """Tell the worker that nothing more is wanted, without waiting for its end."""
        if not self._is_ours():
            return
        # shutdown rather than close: later workers have inherited this end of the connection
        with (
            suppress(OSError),
            socket.fromfd(
                self._connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM
            ) as connection,
        ):
            connection.shutdown(socket.SHUT_RDWR)

    def _is_ours(self) -> bool:
        # a worker's copy of this object must not touch the connection of its sibling
        return self._process is not None and os.getpid() == self._parent

    def _death(self) -> str:
        self._process.join(_GRACE_S)
        status = self._process.exitcode
        how = f"ended with status {status}"
        if status is not None and status < 0:
            how = f"was killed by {signal.Signals(-status).name}"
        hint = " It may have run out of memory." if status == -signal.SIGKILL else ""
        return (
            f"worker process {self._process.pid} {how} before it had sent all its data.{hint} "
            "Run without worker processes to see where."
        )

    # --- in the worker -------------------------------------------------------------------------

    def _run(self, connection: Connection) -> None:
        self._connection.close()
        # A terminal and Slurm send these to every process. They are for the parent, which ends its
        # workers when it has done its own work; a handler and not SIG_IGN, which programs started
        # by the reader would inherit
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, lambda *_: None)
        torch.set_num_threads(1)  # OpenMP's threads do not survive a fork
        requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threading.Thread(
            target=_listen, args=(connection, self._parent, requests), daemon=True
        ).start()
        try:
            for item in self._body(iter(requests.get, channel.END)):
                self._send(connection, item)
            with suppress(OSError):
                channel.send_end(connection)
        except _HungUp:
            pass
        except BaseException as error:
            with suppress(OSError):
                channel.send_error(connection, error)

    def _send(self, connection: Connection, item: T) -> None:
        try:
            channel.send(connection, item, self._share)
        except (BrokenPipeError, ConnectionResetError):
            raise _HungUp from None


class _HungUp(Exception):
    """The consumer wants no more."""


_running: set[Worker[Any]] = set()


def _pace(source: Callable[[], Iterable[T]], requests: Iterator[int]) -> Iterator[T]:
    """Yield the items of `source()`, as many as are requested."""
    credit = 0
    for item in source():
        if not credit:
            credit = next(requests, 0)
        if not credit:
            return
        credit -= 1
        yield item


def _serve(
    function: Callable[[T], R],
    begin: Callable[[int], object] | None,
    number: int,
    requests: Iterator[T],
) -> Iterator[R]:
    if begin is not None:
        begin(number)
    for task in requests:  # not map(): a StopIteration out of `function` would end it in silence
        yield function(task)


def _listen(connection: Connection, parent: int, requests: queue.SimpleQueue[Any]) -> None:
    """Queue the requests, so that the parent never waits to send; end with the parent."""
    while os.getppid() == parent:
        try:
            if connection.poll(_WATCH_S):
                requests.put(pickle.loads(connection.recv_bytes()))
        except (EOFError, OSError):
            requests.put(channel.END)
            break
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(1)


def _close(workers: Sequence[Worker[Any]]) -> None:
    for worker in workers:
        worker.hang_up()  # all first, so that they end side by side
    for worker in workers:
        worker.close()


# registered after multiprocessing's own exit function, which waits for every process: so run first
@atexit.register
def _close_all() -> None:
    _close(list(_running))
