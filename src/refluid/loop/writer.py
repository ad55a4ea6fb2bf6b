"""Everything that a run puts on disk, written by one thread behind the training loop.

Jobs are done in the order they come. A checkpoint's job first makes the journal durable up to its
step, so that no checkpoint is ever ahead of the journal. What fails is kept for the loop to tell:
training goes on, and metrics that could not be written are tried again with the next ones.
May import: errors, loop, observe, state.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from refluid.errors import CheckpointError, DistributedError, RunError
from refluid.loop.parts import Saver
from refluid.observe.journal.journal import Event
from refluid.observe.record import Record
from refluid.state.tree import Packed

__all__ = ["Ledger", "Save", "Unwritten", "Writer"]

Row = tuple[int, str, float]
Digest = tuple[int, str, str]
Kept = tuple[int, str, Record]


@dataclass(frozen=True, kw_only=True)
class Save:
    """A checkpoint to be written.

    Args:
        step: how many steps are in it.
        packed: the state.
        metrics: the last logged value of each metric.
        why: what it was saved for.
        same: the names of tensors that must be the same in all processes.
    """

    step: int
    packed: Packed
    metrics: Mapping[str, float]
    why: str
    same: Collection[str] = ()


class Ledger(Protocol):
    """Where metrics, events, digests and records go: a journal."""

    def append(
        self,
        metrics: Sequence[Row] = (),
        events: Sequence[Event] = (),
        digests: Sequence[Digest] = (),
        records: Sequence[Kept] = (),
        *,
        durable: bool = False,
    ) -> None:
        """Add them, all or none."""
        ...


class Unwritten:
    """What a process has in place of a journal where another one writes it."""

    def append(
        self,
        metrics: Sequence[Row] = (),
        events: Sequence[Event] = (),
        digests: Sequence[Digest] = (),
        records: Sequence[Kept] = (),
        *,
        durable: bool = False,
    ) -> None:
        """Do nothing."""


class Writer:
    """The thread and its queue.

    Args:
        journal: open.
        saver: writes checkpoints.
        retain: called after each save, deletes what is no longer wanted.

    Attributes:
        failure: why the run cannot go on, or None.
    """

    def __init__(self, journal: Ledger, saver: Saver, retain: Callable[[], object]) -> None:
        self._journal = journal
        self._saver = saver
        self._retain = retain
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="refluid-writer", daemon=True)
        self._saving = threading.Event()
        self._metrics: list[Row] = []
        self._events: list[Event] = []
        self._digests: list[Digest] = []
        self._records: list[Kept] = []
        self._problems: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.saved_step: int | None = None
        self.failure: DistributedError | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def saving(self) -> bool:
        """True while a checkpoint waits or is being written."""
        return self._saving.is_set()

    def append(
        self,
        metrics: Sequence[Row],
        events: Sequence[Event] = (),
        digests: Sequence[Digest] = (),
        records: Sequence[Kept] = (),
    ) -> None:
        """Have the journal hold these, soon."""
        self._jobs.put(lambda: self._append(metrics, events, digests, records))

    def save(self, save: Save) -> None:
        """Have a checkpoint written after everything that was appended before."""
        self._saving.set()
        self._jobs.put(lambda: self._save(save))

    def wait(self) -> None:
        """Return when everything that was asked for is done."""
        done = threading.Event()
        self._jobs.put(done.set)
        done.wait()

    def close(self) -> None:
        """Do everything that was asked for and end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def problems(self) -> list[str]:
        """Return what has failed since the last call, a sentence each."""
        found = []
        while not self._problems.empty():
            found.append(self._problems.get())
        return found

    # --- in the thread ------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:
                # without this thread, whoever waits for it would wait forever
                self._problems.put(f"writing failed: {type(error).__name__}: {error}")

    def _append(
        self,
        metrics: Sequence[Row],
        events: Sequence[Event],
        digests: Sequence[Digest],
        records: Sequence[Kept],
    ) -> None:
        self._metrics += metrics
        self._events += events
        self._digests += digests
        self._records += records
        self._commit(durable=False)

    def _commit(self, durable: bool) -> bool:
        rows = (self._metrics, self._events, self._digests, self._records)
        try:
            self._journal.append(*rows, durable=durable)
        except RunError as error:
            self._problems.put(f"{error} The metrics are kept in memory meanwhile.")
            return False
        for each in rows:
            each.clear()
        return True

    def _save(self, save: Save) -> None:
        try:
            if not self._commit(durable=True):
                self._saver.skip(save.step, "rank 0 cannot write its journal")
                return
            self._saver.save(save.step, save.packed, save.metrics, save.same)
            self.saved_step = save.step
            self._events.append(Event(step=save.step, kind="saved", text=save.why))
            self._commit(durable=False)
        except (CheckpointError, DistributedError) as error:
            self._events.append(Event(step=save.step, kind="not saved", text=str(error)))
            if isinstance(error, CheckpointError):
                self._problems.put(f"step {save.step} could not be saved: {error}")
            else:
                # no later save could be agreed on
                self.failure = error
        else:
            self._tidy()
        finally:
            self._saving.clear()

    def _tidy(self) -> None:
        try:
            self._retain()
        except CheckpointError as error:
            self._problems.put(f"an old checkpoint stays: {error}")
