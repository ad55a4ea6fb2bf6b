"""Starts the processes of a launch, watches them, and ends them together.

One thread waits for everything at once: output that comes, a process that ends, a signal, a time
that is over. What happens then is decided in one place, `_Attempt._decide`:

- all have ended well: that is the end;
- one has failed: the others are asked to end, then killed. A process that only lost the connection
  to another one is not taken for the cause while the other may still be failing, for a moment;
- one has stopped where it can go on (exit status 75): the others are asked to do so too;
- a signal asks for the end: it is handed on, and there is time to save.

Each process leads a group, which takes in what it starts itself. Groups are ended as a whole.
May import: env, distributed.guard, output, worker.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from refluid.distributed.output import LineWriter
from refluid.distributed.worker import Guard, Program, Worker

__all__ = ["RESUMABLE", "Program", "Supervisor", "say"]

# as `refluid.loop` has it, which lies above
RESUMABLE = 75
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
# how long the process whose connection was lost may take to fail, before that is the error
_BLAME_S = 2.0
# after SIGTERM, when another process has failed; in all below 10 s
_GRACE_S = 4.0
# when asked to stop: as long as schedulers wait that take a machine away, or longer
_SAVING_S = 60.0
# what is left of a group when its leader has ended: cleaners of shared memory, loader's workers
_LEFTOVER_S = 1.0
_POLL_S = 0.05


def say(text: str) -> None:
    """Print a line of the launcher's own."""
    sys.stderr.write(f"refluid: {text}\n")
    sys.stderr.flush()


class Supervisor:
    """Runs programs together, again if one fails and that is wanted.

    Args:
        programs: the processes of this node.
        world_size: how many there are on all nodes.
        max_restarts: how often all are started again.
        lost: called with the rank of one that has failed; if it is given, that one alone is started
            again, so often in all.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        world_size: int,
        max_restarts: int,
        lost: Callable[[int], None] | None = None,
    ) -> None:
        self._programs = programs
        self._world_size = world_size
        self._max_restarts = 0 if lost else max_restarts
        self._lost = lost
        self._num_alone = max_restarts if lost else 0

    def run(self) -> int:
        """Run them; return the exit status that stands for all."""
        with Guard() as guard, _noted_signals() as signals:
            for restart in range(self._max_restarts + 1):
                attempt = _Attempt(self._programs, self._world_size, guard, signals, restart)
                attempt.start_again_alone(self._num_alone, self._lost)
                status = attempt.run()
                if attempt.failed is None or attempt.stopped:
                    return status
                if restart == self._max_restarts:
                    attempt.report(attempt.failed, last=True)
                    return status
                say(f"all are started again: {restart + 1} of {self._max_restarts}.")
        raise AssertionError("the last attempt returns")


class _Attempt:
    """One life of the processes, from their start to the end of the last."""

    def __init__(
        self,
        programs: Sequence[Program],
        world_size: int,
        guard: Guard,
        signals: int,
        restart: int,
    ) -> None:
        self._programs = programs
        self._world_size = world_size
        self._guard = guard
        self._signals = signals
        self._restart = restart
        self._workers: list[Worker] = []
        self._ended: list[Worker] = []
        self._selector = selectors.DefaultSelector()
        self._asked: signal.Signals | None = None
        self._judge_at: float | None = None
        self._kill_at: float | None = None
        self._ending = False
        self.failed: Worker | None = None
        self._num_alone = 0
        self._lost: Callable[[int], None] | None = None

    def start_again_alone(self, times: int, lost: Callable[[int], None] | None) -> None:
        """Start one that fails again, so often in all, while the others go on."""
        self._num_alone, self._lost = times, lost

    @property
    def stopped(self) -> bool:
        """Whether a signal, or a process that can go on later, has asked for the end."""
        return self._asked is not None

    def run(self) -> int:
        """Start all, and return the status that stands for them when they have ended."""
        self._selector.register(self._signals, selectors.EVENT_READ)
        try:
            for program in self._programs:
                self._start(Worker(program, self._guard))
            while self._alive():
                self._wait()
            self._drain(_LEFTOVER_S)
        except BrokenPipeError:
            # nobody reads what is printed: as a program that prints itself would end
            return 128 + signal.SIGPIPE
        finally:
            self._clean()
        return self._status()

    def _start(self, worker: Worker) -> None:
        worker.start(self._restart)
        self._workers.append(worker)
        for writer in worker.writers:
            self._selector.register(writer.source, selectors.EVENT_READ, writer)

    def _alive(self) -> list[Worker]:
        return [worker for worker in self._workers if worker.status is None]

    # --- one turn -----------------------------------------------------------------------------

    def _wait(self) -> None:
        until = self._kill_at or self._judge_at
        timeout = None if until is None else max(0.0, until - time.monotonic())
        self._read(timeout)
        ended = [worker for worker in self._alive() if worker.poll() is not None]
        for worker in ended:
            for writer in worker.writers:
                self._copy(writer)
        # of those that ended at once, one that lost a connection did so because of another
        self._ended += sorted(ended, key=lambda worker: worker.lost_peer)
        self._decide()

    def _read(self, timeout: float | None) -> None:
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, LineWriter):
                self._copy(key.data)
            else:
                for number in os.read(self._signals, 64):
                    self._take(signal.Signals(number))

    def _copy(self, writer: LineWriter) -> None:
        if writer.source not in self._selector.get_map():
            return
        if not writer.copy():
            self._selector.unregister(writer.source)

    def _take(self, received: signal.Signals) -> None:
        if received == signal.SIGCHLD:
            return
        if received == signal.SIGINT and self._asked == signal.SIGINT:
            say("SIGINT again: killing all processes.")
            self._kill_at = time.monotonic()
            return
        say(f"{received.name}: handed on to all processes.")
        self._asked = received
        self._send(signal.SIGTERM if received == signal.SIGHUP else received)
        self._kill_at = self._kill_at or time.monotonic() + _SAVING_S

    def _decide(self) -> None:
        now = time.monotonic()
        failures = [worker for worker in self._ended if worker.status != 0]
        if failures and self._asked is None and not self._ending:
            failures = [worker for worker in failures if not self._again(worker)]
        if failures and self._asked is None and not self._ending:
            self._judge(failures, now)
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = now + _GRACE_S
            self._send(signal.SIGKILL)

    def _again(self, worker: Worker) -> bool:
        """Start one that has failed again, if that is wanted; return whether it was."""
        if self._lost is not None:
            self._lost(worker.rank)
        if not self._num_alone or worker.status == RESUMABLE:
            return False
        self._num_alone -= 1
        self.report(worker)
        say(f"rank {worker.rank} is started again; {self._num_alone} times are left.")
        for writer in worker.writers:
            if writer.source in self._selector.get_map():
                self._selector.unregister(writer.source)
        worker.clean(0.0)
        worker.close()
        self._workers.remove(worker)
        self._ended.remove(worker)
        self._restart += 1
        program = next(one for one in self._programs if one.rank == worker.rank)
        self._start(Worker(program, self._guard))
        return True

    def _judge(self, failures: list[Worker], now: float) -> None:
        """Find the process whose failure is the cause of the others', and end these."""
        first = failures[0]
        if first.status == RESUMABLE:
            say(f"rank {first.rank} has stopped and can go on; the others are asked to stop.")
            self._asked = signal.SIGTERM
            self._end(now + _SAVING_S)
            return
        cause = next((worker for worker in failures if not worker.lost_peer), None)
        self._judge_at = self._judge_at or now + _BLAME_S
        if cause is None and self._alive() and now < self._judge_at:
            return
        self.failed = cause or first
        self.report(self.failed)
        self._end(now + _GRACE_S)

    def _end(self, kill_at: float) -> None:
        self._ending = True
        self._kill_at = kill_at
        self._send(signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        for worker in self._alive():
            worker.send(number)

    # --- the end ------------------------------------------------------------------------------

    def _drain(self, seconds: float) -> None:
        """Copy what is still in the pipes, which what a process left behind may hold open."""
        until = time.monotonic() + seconds
        while len(self._selector.get_map()) > 1 and time.monotonic() < until:
            self._read(_POLL_S)

    def _clean(self) -> None:
        for worker in self._workers:
            worker.send(signal.SIGKILL)
        for worker in self._workers:
            worker.clean(_LEFTOVER_S)
        with contextlib.suppress(BrokenPipeError):
            self._drain(_POLL_S)
        self._selector.close()
        for worker in self._workers:
            worker.close()

    def _status(self) -> int:
        if self._asked is not None:
            if any(worker.status == RESUMABLE for worker in self._workers):
                return RESUMABLE
            return 128 + self._asked if any(worker.status for worker in self._workers) else 0
        return 0 if self.failed is None else self.failed.exit_status

    def report(self, worker: Worker, last: bool = False) -> None:
        """Say which process failed and how; at the end, and of a log file, show its error too."""
        parts = [f"rank {worker.rank} of {self._world_size} {worker.end}"]
        early = ", ".join(str(other.rank) for other in self._ended if other.status == 0)
        if early:
            parts.append(f"rank {early} had come to its end already, without an error")
        if last and len(self._workers) > 1:
            parts.append("all have ended")
        if worker.log is not None:
            parts.append(f"in {worker.log}")
        shown = last or worker.log is not None
        lines = worker.error_lines() if shown else []
        say("; ".join(parts) + (":" if lines else "."))
        sys.stderr.buffer.write(b"".join(worker.prefix + line + b"\n" for line in lines))
        sys.stderr.flush()


@contextlib.contextmanager
def _noted_signals() -> Iterator[int]:
    """Have signals written into a pipe, one byte each, instead of what they did before."""
    source, target = os.pipe()
    os.set_blocking(target, False)
    before = {number: signal.signal(number, _do_nothing) for number in (*_SIGNALS, signal.SIGCHLD)}
    woken = signal.set_wakeup_fd(target, warn_on_full_buffer=False)
    try:
        yield source
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        os.close(source)
        os.close(target)


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Stand in for the default, which would end the process; the pipe has the number."""
