"""The directory of a run while it is open: whose it is, what is found there, who writes what.

Rank 0, or a process that is alone, takes the lock and keeps the journal and the checkpoints; it
says which checkpoint is gone on from. The other ranks of a launch read their part of that one, and
write their part of each that follows; they have no journal.
May import: checkpoint, errors, loop, observe, state.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refluid.checkpoint.store import Loaded, Store, run_of
from refluid.errors import RunError
from refluid.loop.lock import RunLock
from refluid.loop.parts import Alone, Follower, Leader
from refluid.loop.plan import Plan
from refluid.loop.ranks import Ranks
from refluid.loop.resume import Resumption, as_resumption, newest, report
from refluid.loop.writer import Unwritten, Writer
from refluid.observe.journal.journal import Event, Journal, Start

__all__ = ["Archive"]


class Archive:
    """What lies in a run's directory.

    Args:
        directory: of the run.
        plan: what to keep.
        ranks: the processes of the run, which have met.

    Attributes:
        writer: writes into it, once it is open.
    """

    writer: Writer

    def __init__(self, directory: Path, plan: Plan, ranks: Ranks) -> None:
        self._directory = directory
        self._checkpoints = directory / "checkpoints"
        self._plan = plan
        self._ranks = ranks
        self._journal: Journal | None = None
        self._loaded: Loaded | None = None
        self._talk = 0
        self._stack = contextlib.ExitStack()

    def open(self) -> Resumption | None:
        """Take the directory, and return what the run goes on from, or None if it begins.

        Raises:
            RunError: it cannot be written to or is in use, or `resume` forbids what is in it; or
                the ranks name different directories.
            CheckpointError: a checkpoint is of a newer version of refluid.
        """
        with contextlib.ExitStack() as stack:
            # in all ranks alike, whatever fails afterwards
            self._talk = self._ranks.group.talk() if self._ranks.group else 0
            self._ranks.check_same(str(self._directory.resolve()), "the directory of the run")
            found = self._ranks.from_leader(lambda: self._take(stack), "open the run")
            resumed = self._ranks.together(
                lambda: self._resumption(**found), "read its part of the checkpoint"
            )
            self.writer.start()
            stack.callback(self.writer.close)
            self._stack = stack.pop_all()
        return resumed

    def close(self) -> None:
        """Write what is left, and give the directory back."""
        self._stack.close()

    def begin(self, step: int, environment: dict[str, str], config: Mapping[str, Any]) -> None:
        """Note that a process begins with step `step`; what the journal has from there on goes."""
        if self._journal is None:
            return
        start = Start(
            pid=os.getpid(),
            host=socket.gethostname(),
            argv=sys.argv,
            from_step=step,
            environment=environment,
            config=dict(config),
        )
        self._journal.start(start)
        self._journal.cut(step, Event(step=step, kind="resumed" if step else "began"))

    # --- inside -------------------------------------------------------------------------------

    def _take(self, stack: contextlib.ExitStack) -> dict[str, Any]:
        """Take the directory, and return the step that is gone on from."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"{self._directory} cannot be made a directory ({error.strerror}): choose another "
                "`directory` for the run."
            ) from None
        lock = RunLock(self._directory)
        lock.acquire()
        stack.callback(lock.release)
        self._journal = Journal(self._directory / "run.sqlite")
        # a journal that is lost or damaged must not make the checkpoints another run's
        flaw = self._journal.open(run_of(self._checkpoints))
        stack.callback(self._journal.close)
        if flaw is not None:
            report(flaw)
        plan, store = self._plan, Store(self._checkpoints, self._journal.run)
        self._loaded = newest(plan.resume, self._directory, self._journal, store)
        group = self._ranks.group
        saver = Alone(store) if group is None else Leader(store, group, self._talk)
        self.writer = Writer(
            self._journal, saver, lambda: store.retain(plan.keep_last, plan.best())
        )
        step = None if self._loaded is None else self._loaded.step
        return {"run": self._journal.run, "step": step}

    def _resumption(self, run: str, step: int | None) -> Resumption | None:
        """Return what this rank goes on from, which is its part of what rank 0 has found."""
        ranks = self._ranks
        if ranks.group is not None and not ranks.leads:
            self.writer = Writer(Unwritten(), Follower(ranks.group, self._talk), lambda: None)
            if step is not None:
                self._loaded = Store(self._checkpoints, run).load(step, ranks.rank)
        return None if self._loaded is None else as_resumption(self._loaded, ranks.rank)
