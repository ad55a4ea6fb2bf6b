"""What a run notes while it is open: its state, its metrics, what happened.

May import: errors, loop, observe, state.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refluid.errors import PeerLost
from refluid.loop.archive import Archive
from refluid.loop.metrics import Metrics, check_name
from refluid.loop.patience import Patience
from refluid.loop.plan import Plan
from refluid.loop.ranks import Ranks
from refluid.loop.resume import Progress, Resumption, report
from refluid.loop.tracked import Tracked
from refluid.loop.writer import Save
from refluid.observe.journal.journal import Event
from refluid.observe.record import Record, kind_of
from refluid.state.digest import digests
from refluid.state.generators import capture_generators
from refluid.state.tree import Packed, pack

__all__ = ["Recorder"]

_PACE_EVERY_S = 1.0


class Recorder:
    """Captures the state of a run, and has it and the metrics written.

    Args:
        directory: of the run.
        plan: when to save, and what to keep.
        config: settings to be kept.
        ranks: the processes of the run.
    """

    def __init__(
        self, directory: Path, plan: Plan, config: Mapping[str, Any], ranks: Ranks
    ) -> None:
        self._archive = Archive(directory, plan, ranks)
        self.config = dict(config)
        self.environment: dict[str, str] = {}
        self.tracked = Tracked()
        self.metrics = Metrics()
        self.patience = Patience(
            plan.keep_highest or plan.keep_lowest,
            highest=plan.keep_highest is not None,
            most=plan.patience,
        )
        self._records: list[tuple[int, str, Record]] = []
        self._events: list[Event] = []
        self._paced_s, self._paced_step = 0.0, 0
        self.saved_step = -1
        self.saved_s = self.flushed_s = 0.0

    def open(self) -> Resumption | None:
        """Take the directory, and return what the run goes on from; see `Archive.open`."""
        resumed = self._archive.open()
        self._writer = self._archive.writer
        return resumed

    def close(self) -> None:
        """Write what is left, and give the directory back."""
        try:
            self.flush()
            self.wait()
        finally:
            self._archive.close()

    def begin(self, step: int) -> None:
        """Note that a process begins with step `step`; what the journal has from there on goes."""
        self._archive.begin(step, self.environment, self.config)
        self._paced_s, self._paced_step = time.monotonic(), step

    @property
    def busy(self) -> bool:
        """True while a checkpoint is being written."""
        return self._writer.saving

    @property
    def fails(self) -> bool:
        """True if the run cannot go on, as `wait` raises; it is known before `busy` ends."""
        return self._writer.failure is not None

    @property
    def written_step(self) -> int | None:
        """The step of the last checkpoint that this process has written."""
        return self._writer.saved_step

    def save(self, progress: Progress, why: str) -> None:
        """Capture everything and have it written, after the metrics that led to it."""
        packed = self._capture(progress)
        self.flush()
        save = Save(
            step=progress.step,
            packed=packed,
            metrics=dict(self.metrics.last),
            why=why,
            same=self.tracked.same_everywhere(packed.tensors),
        )
        self._writer.save(save)
        self.saved_step, self.saved_s = progress.step, time.monotonic()

    def note(self, step: int, kind: str, text: str = "") -> None:
        """Have an event written with the next metrics."""
        self._events.append(Event(step=step, kind=kind, text=text))

    def keep(self, step: int, name: str, record: Record) -> None:
        """Have a record written with the next metrics.

        Raises:
            TypeError: it is none.
            ValueError: the name is empty, or has characters that cannot be shown.
        """
        # what the journal refuses would keep everything behind it from being written
        check_name(name)
        kind_of(type(record))
        self._records.append((step, name, record))

    def pace(self, step: int) -> None:
        """Note how many steps a second are made, about once a second."""
        now_s = time.monotonic()
        passed_s = now_s - self._paced_s
        if passed_s < _PACE_EVERY_S:
            return
        if step > self._paced_step:
            rate = (step - self._paced_step) / passed_s
            # not as a metric of the loop's: it is another one each time, and no part of its state
            self._writer.append([(step - 1, "steps_per_s", rate)])
        self._paced_s, self._paced_step = now_s, step

    def flush(self) -> None:
        """Have what was logged so far written, and tell what could not be."""
        rows = self.metrics.take()
        events, self._events = self._events, []
        records, self._records = self._records, []
        self.flushed_s = time.monotonic()
        if rows or events or records:
            self._writer.append(rows, events, records=records)
        self._tell_problems()

    def note_digests(self, progress: Progress) -> None:
        """Have digests of the whole state written, under the number of the last step."""
        found = digests(self._capture(progress))
        step = progress.step - 1
        # the whole has no path of its own
        rows = [(step, leaf or "state", digest) for leaf, digest in found.items()]
        self._writer.append([], digests=rows)

    def wait(self) -> None:
        """Return when everything is written, and tell what could not be.

        Raises:
            DistributedError: the ranks' parameters are not the same any more.
            PeerLost: a rank was lost while a checkpoint was written.
        """
        self._writer.wait()
        self._tell_problems()
        if self._writer.failure is not None:
            raise self._writer.failure

    def check(self) -> None:
        """Raise that a rank was lost while a checkpoint was written, if one was.

        Whatever else has failed is known to all ranks, and raised in all at the same step.
        """
        if isinstance(self._writer.failure, PeerLost):
            raise self._writer.failure

    def _tell_problems(self) -> None:
        for problem in self._writer.problems():
            report(problem)

    def _capture(self, progress: Progress) -> Packed:
        return pack(
            {
                "objects": self.tracked.capture(),
                "generators": capture_generators(),
                "progress": progress.plain(),
                "environment": self.environment,
                "config": self.config,
            }
        )
