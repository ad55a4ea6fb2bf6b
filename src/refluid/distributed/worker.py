"""One process of a launch, and what ends it with its launcher.

It leads a group of its own. On Linux the kernel kills it when its launcher is gone; the guard, a
process beside the launcher, kills what is in the group besides.
May import: env, errors, guard, output.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TextIO

from refluid import env
from refluid.distributed import guard
from refluid.distributed.output import LineWriter, Tail, error_lines, read_tail
from refluid.errors import DistributedError

__all__ = ["Guard", "Program", "Worker"]

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.02
# How a process's last line begins or goes on when another one has failed before it: our own error,
# and what gloo, NCCL and torch's store say.
_LOST = (
    b"PeerLost",
    b"Connection closed by peer",
    b"Connection reset by peer",
    b"Broken pipe",
    b"Timed out waiting",
    b"Application timeout",
    b"DistBackendError",
    b"DistNetworkError",
    b"DistStoreError",
)


@dataclass(frozen=True)
class Program:
    """What one process runs.

    Args:
        rank: its number among those of all nodes.
        arguments: the command.
        environment: all of its environment.
        log: a file that its output is added to; None for the launcher's own streams.
    """

    rank: int
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None = None


class Guard:
    """The process that kills groups of processes when this one is gone."""

    def __enter__(self) -> Guard:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def add(self, group: int) -> None:
        """Have it kill a group."""
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Have it leave a group alone, which is empty."""
        self._tell(f"-{group}\n")

    def _tell(self, text: str) -> None:
        assert self._process.stdin is not None
        # without a guard the kernel's part is left
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(text.encode())


class Worker:
    """One process, from its start to its end.

    Args:
        program: what it runs.
        guard: kills it when the launcher is gone.
    """

    def __init__(self, program: Program, guard: Guard) -> None:
        self.rank = program.rank
        self.log = program.log
        self.status: int | None = None
        self.writers: list[LineWriter] = []
        self._program = program
        self._guard = guard
        self._tail = Tail()
        self._log_begin = 0

    def start(self, restart: int) -> None:
        """Start the program.

        Args:
            restart: how often it was started before.

        Raises:
            DistributedError: its log file cannot be written.
        """
        with contextlib.ExitStack() as stack:
            streams: dict[str, Any] = {
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
            }
            if self.log is not None:
                file = stack.enter_context(_opened(self.log))
                self._log_begin = file.seek(0, os.SEEK_END)
                streams = {"stdout": file, "stderr": subprocess.STDOUT}
            self._process = subprocess.Popen(
                self._program.arguments,
                env={**self._program.environment, env.RESTARTS: str(restart)},
                stdin=subprocess.DEVNULL,
                preexec_fn=_leader(),
                **streams,
            )
        self._guard.add(self._process.pid)
        if self.log is None:
            self._connect(self._process.stdout, sys.stdout, None)
            self._connect(self._process.stderr, sys.stderr, self._tail)

    def _connect(self, pipe: IO[bytes] | None, target: TextIO, tail: Tail | None) -> None:
        assert pipe is not None
        self.writers.append(LineWriter(pipe.fileno(), target.buffer, self.prefix, tail))

    @property
    def prefix(self) -> bytes:
        """What stands before each of its lines."""
        return b"[%d] " % self.rank

    def poll(self) -> int | None:
        """Look whether it has ended; return its status as `subprocess` has it, or None."""
        if self.status is None:
            self.status = self._process.poll()
        return self.status

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it; SIGKILL to its whole group."""
        if self.status is not None:
            return
        if number == signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
        else:
            # what it has started itself, such as a loader's workers, it ends itself
            self._process.send_signal(number)

    def clean(self, seconds: float) -> None:
        """Wait for its end, and kill what is left of its group after so many seconds."""
        self.status = self._process.wait()
        until = time.monotonic() + seconds
        group = self._process.pid
        with contextlib.suppress(ProcessLookupError, PermissionError):
            while time.monotonic() < until:
                os.killpg(group, 0)
                time.sleep(_POLL_S)
            os.killpg(group, signal.SIGKILL)
        self._guard.remove(group)

    def close(self) -> None:
        """Close its pipes."""
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    # --- how it ended -------------------------------------------------------------------------

    @property
    def exit_status(self) -> int:
        """The status for the launcher's own exit."""
        assert self.status is not None
        return self.status if self.status >= 0 else 128 - self.status

    @property
    def end(self) -> str:
        """How it ended, as the end of a sentence that begins with its rank."""
        assert self.status is not None
        if self.status >= 0:
            return f"failed with exit status {self.status}"
        try:
            name = signal.Signals(-self.status).name
        except ValueError:
            name = f"signal {-self.status}"
        if self.status == -signal.SIGKILL:
            return f"was killed by {name}; if nobody did that, the machine ran out of memory"
        return f"was killed by {name}"

    @property
    def lost_peer(self) -> bool:
        """Whether it failed because another process was gone, as far as its last words tell."""
        if self.status is None or self.status <= 0:
            return False
        lines = [line for line in self.error_lines() if line.strip()]
        return bool(lines) and any(mark in line for mark in _LOST for line in _heads(lines))

    def error_lines(self) -> list[bytes]:
        """Return what it wrote last about its failure."""
        if self.log is not None:
            return error_lines(read_tail(self.log, self._log_begin))
        return error_lines(self._tail.lines())


def _heads(lines: Sequence[bytes]) -> Sequence[bytes]:
    """Return the lines of a traceback's message: what follows its last indented line."""
    for k in range(len(lines) - 1, -1, -1):
        if lines[k].startswith(b"  File "):
            return lines[k + 1 :]
    return lines[-1:]


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("ab")
    except OSError as error:
        raise DistributedError(
            f"`log_dir`: {path} cannot be written ({error.strerror}): choose another folder."
        ) from None


def _leader() -> Callable[[], None]:
    """Return what a new process calls before its program: it leads a group, and dies with us."""
    launcher = os.getpid()
    prctl = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None

    def become() -> None:
        os.setpgid(0, 0)
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != launcher:
                os._exit(1)

    return become
