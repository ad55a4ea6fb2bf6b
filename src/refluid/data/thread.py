"""Read and map ahead of the consumer, in background threads.

Both functions are generators: the threads start with the first item that is asked for, and end
when the generator ends, is closed, or is dropped by a `break` out of a loop. An exception in the
user's code is raised where the items are consumed, with the traceback of the user's lines. Items
always come in the order of the source, so that a run can be repeated.

Threads are daemons that are stopped at exit: a source that never yields again cannot keep the
program alive, and none is left inside torch while the interpreter is taken down.
May import: the standard library only.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

__all__ = ["map_in_threads", "read_in_thread", "without_threads"]

T = TypeVar("T")
R = TypeVar("R")

_GRACE_S = 5.0  # how long a closing consumer waits for the source to come to its next item


_inline: ContextVar[bool] = ContextVar("without_threads", default=False)


@contextlib.contextmanager
def without_threads() -> Iterator[None]:
    """Make items when they are asked for, in the thread that asks, if reading begins in the block.

    A thread that reads ahead draws from the process's generators of random numbers whenever it
    comes to it: only without one do the same numbers come again.
    """
    token = _inline.set(True)
    try:
        yield
    finally:
        _inline.reset(token)


def read_in_thread(source: Callable[[], Iterable[T]], ahead: int) -> Iterator[T]:
    """Iterate `source()` in a background thread, up to `ahead` items before the consumer.

    Args:
        source: called once, in the thread; gives the items.
        ahead: how many items may wait for the consumer; 0 or less is without a bound.

    Raises:
        BaseException: whatever `source` raised, after the items that came before it.

    Effects:
        One thread, from the first item until the end; it advances whatever generator of random
        numbers `source` uses.
    """
    if _inline.get():
        yield from source()
        return
    buffer: _Buffer[T] = _Buffer(ahead)
    thread = threading.Thread(target=_fill, args=(source, buffer), name="refluid-read", daemon=True)
    thread.start()
    _running[thread] = buffer
    try:
        yield from buffer.items()
    finally:
        _stop(thread)


def map_in_threads(
    function: Callable[[T], R], tasks: Iterable[T], num_threads: int, ahead: int
) -> Iterator[R]:
    """Call `function` on every task in background threads; results come in the order of `tasks`.

    Args:
        function: called in one of the threads.
        tasks: iterated by the consumer of this generator, not in a thread.
        num_threads: how many calls may run at once.
        ahead: how many tasks are taken before the first result is waited for.

    Raises:
        BaseException: whatever `function` raised, in place of its result.
    """
    if _inline.get():
        for task in tasks:  # not map(): a StopIteration out of `function` would end it in silence
            yield function(task)
        return
    pool = ThreadPoolExecutor(num_threads, thread_name_prefix="refluid-map")
    pending: deque[Future[R]] = deque()
    try:
        for task in tasks:
            pending.append(pool.submit(function, task))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Buffer(Generic[T]):
    """A bounded line of items between one producer and one consumer, which either may end."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: deque[T] = deque()
        self._error: BaseException | None = None
        self._ended = False
        self._wanted = True
        # one condition for both sides: a full line and an empty one exclude each other
        self._changed = threading.Condition()

    def put(self, item: T) -> bool:
        """Wait for room and add the item; False if nobody wants any more."""
        with self._changed:
            while self._wanted and 0 < self._size <= len(self._items):
                self._changed.wait()
            self._items.append(item)
            self._changed.notify()
            return self._wanted

    def end(self, error: BaseException | None = None) -> None:
        """Tell the consumer that nothing follows, or what went wrong."""
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify()

    def close(self) -> None:
        """Tell the producer that nothing more is wanted."""
        with self._changed:
            self._wanted = False
            self._items.clear()
            self._changed.notify()

    def items(self) -> Iterator[T]:
        """Yield the items as they come; raise the producer's error after the last."""
        while True:
            with self._changed:
                while not self._items and not self._ended:
                    self._changed.wait()
                if not self._items:
                    break
                item = self._items.popleft()
                self._changed.notify()
            yield item
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback holds this frame: a cycle that would keep the data


_running: dict[threading.Thread, _Buffer[Any]] = {}


def _fill(source: Callable[[], Iterable[T]], buffer: _Buffer[T]) -> None:
    try:
        for item in source():
            if not buffer.put(item):
                break
    except BaseException as error:
        buffer.end(error)
    else:
        buffer.end()


def _stop(thread: threading.Thread) -> None:
    buffer = _running.pop(thread, None)
    if buffer is not None:
        buffer.close()
    # a generator may be collected by any thread, so also by the one it owns
    if thread is not threading.current_thread():
        thread.join(_GRACE_S)


@atexit.register
def _stop_all() -> None:
    for thread in list(_running):
        _stop(thread)


# the threads of the parent do not exist in a forked child, and their locks may be held forever
os.register_at_fork(after_in_child=_running.clear)
