"""Signals that ask a run to stop where it can go on again.

SIGTERM (a machine is taken away), SIGINT (Ctrl-C) and SIGUSR1 (Slurm, before its time limit) are
noted; the loop looks at the note when a step is complete. A second SIGINT stops at once.
May import: nothing of refluid.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

__all__ = ["RESUMABLE", "StopSignals", "Stopped"]

# EX_TEMPFAIL of sysexits.h: not done, and worth trying again
RESUMABLE = 75


class Stopped(SystemExit):
    """A run was asked to stop, has saved, and ends its process with the status `RESUMABLE`."""

    def __init__(self, reason: str) -> None:
        super().__init__(RESUMABLE)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class StopSignals:
    """Notes the signals that ask for a stop."""

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)

    def __init__(self) -> None:
        self.received: str | None = None

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note the signals instead of what they did before, which comes back afterwards.

        Only the main thread may do so; in another one they keep their meaning.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._note) for number in self.numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                # None: a handler that was not set from Python and cannot be set from it
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if number == signal.SIGINT and self.received == name:
            raise KeyboardInterrupt
        is_first, self.received = self.received is None, name
        # last, as the next signal may come in the middle of it
        if is_first:
            again = "; once more to stop at once" if number == signal.SIGINT else ""
            # not sys.stderr, which the signal may have interrupted in the middle of a line
            os.write(2, f"\nrefluid: {name}: stopping after this step{again}\n".encode())
