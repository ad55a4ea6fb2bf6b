"""What happened in a run: its processes, what each was going to do, and how it ended.

A process writes down a start, and events: `began` or `resumed` first, `planned` for each loop,
`complete`, `stopped` or `error` at its end. One that was killed has none of the last three.
May import: observe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refluid.observe.journal.format import Event, Start
from refluid.observe.journal.reader import JournalReader
from refluid.observe.run.holder import Holder, holder_of

__all__ = ["Attempt", "History", "Planned", "history_of"]

_BEGINS = ("began", "resumed")
# the kinds of events with which a process ends, and what they mean
_ENDS = {"complete": "complete", "stopped": "stopped", "error": "failed"}


@dataclass(frozen=True)
class Planned:
    """What a loop was going to do when it began.

    Args:
        first_step: the step at which the loop began, in whatever process.
        epochs: how many it goes through.
        steps_per_epoch: None where the data do not say it.
    """

    first_step: int
    epochs: int
    steps_per_epoch: int | None

    @property
    def last_step(self) -> int | None:
        """How many steps are complete at its end."""
        if self.steps_per_epoch is None:
            return None
        return self.first_step + self.epochs * self.steps_per_epoch


@dataclass(frozen=True)
class Attempt:
    """One process of a run.

    Args:
        start: what it wrote down when it began.
        end: how it ended: "complete", "stopped", "failed", "killed"; "ended" if it gave the
            directory back and did not say more; "running".
        why: the rest: the signal that stopped it, or the error.
    """

    start: Start
    end: str
    why: str = ""

    @property
    def resumed(self) -> bool:
        """True if it went on from a checkpoint."""
        return self.start.from_step > 0


@dataclass(frozen=True, kw_only=True)
class History:
    """What happened in a run, and so how far it is.

    Args:
        state: "running", "complete", "stopped (SIGTERM)" or whatever else stopped it, "failed",
            "killed", "ended" (in order, but it is not known how), "not begun".
        pid: of the process that has it, if it is running.
        host: the machine of that process.
        step: how many steps are complete, as far as the journal says.
        planned: of the last loop; None if it was not written down.
        attempts: the processes, from the first to the last.
        events: what happened, in its order.
    """

    state: str
    pid: int | None = None
    host: str | None = None
    step: int
    planned: Planned | None = None
    attempts: Sequence[Attempt] = ()
    events: Sequence[Event] = ()

    @property
    def planned_steps(self) -> int | None:
        """How many steps are complete at the end of the last loop, if that is known."""
        return None if self.planned is None else self.planned.last_step

    @property
    def epochs(self) -> float | None:
        """How many epochs of the last loop are complete, with a fraction, if that is known."""
        if self.planned is None or not self.planned.steps_per_epoch:
            return None
        return max(0, self.step - self.planned.first_step) / self.planned.steps_per_epoch

    @property
    def progress(self) -> float | None:
        """The share that is done, from 0 to 1, if that is known."""
        if self.state == "complete":
            return 1.0
        steps = self.planned_steps
        return min(1.0, self.step / steps) if steps else None

    @property
    def num_kills(self) -> int:
        """How many processes were killed."""
        return sum(attempt.end == "killed" for attempt in self.attempts)

    @property
    def resume_steps(self) -> list[int]:
        """The steps at which processes went on, in their order."""
        return [attempt.start.from_step for attempt in self.attempts if attempt.resumed]

    @property
    def begun(self) -> float | None:
        """When the first process began, in seconds since 1970."""
        return self.attempts[0].start.time if self.attempts else None

    @property
    def changed(self) -> float | None:
        """When something was last written down that has a time, in seconds since 1970."""
        times = [event.time for event in self.events] + [a.start.time for a in self.attempts]
        return max(times, default=None)

    @property
    def config(self) -> Mapping[str, Any]:
        """The settings of the last process."""
        return self.attempts[-1].start.config if self.attempts else {}

    @property
    def environment(self) -> Mapping[str, Any]:
        """What can change results, such as the versions of libraries, of the last process."""
        return self.attempts[-1].start.environment if self.attempts else {}


def history_of(journal: JournalReader) -> History:
    """Return what happened in a run, whether it is running or not.

    Args:
        journal: of the run, open; who has the run is asked in its directory.

    Raises:
        RunError: the journal cannot be read.
    """
    # asked before the journal is read: what ends in between has said so
    holder = holder_of(journal.path.parent)
    # in this order, so that no event is read whose process has not been
    events, starts = journal.events(), journal.starts()
    last_step = journal.last_step()
    attempts = _attempts(starts, events, holder)
    alive = holder is not None and holder.alive
    return History(
        state="running" if alive else _state(attempts, last_step),
        pid=holder.pid if holder is not None and alive else None,
        host=holder.host if holder is not None and alive else None,
        step=_steps_done(last_step, events),
        planned=_planned(events),
        attempts=attempts,
        events=events,
    )


def _attempts(
    starts: Sequence[Start], events: Sequence[Event], holder: Holder | None
) -> list[Attempt]:
    """Return how each process ended: by the events between its beginning and the next one's.

    Args:
        starts: of the run, in their order.
        events: likewise.
        holder: who has the directory, or had it when it was killed.
    """
    parts: list[list[Event]] = []
    for event in events:
        if event.kind in _BEGINS:
            parts.append([event])
        elif parts:
            parts[-1].append(event)
    attempts: list[Attempt] = []
    for start in reversed(starts):
        # where there is no part, the kill was between the two rows that a process begins with
        own = parts.pop() if parts and parts[-1][0].step == start.from_step else []
        end, why = _end(own)
        if not end and not attempts:
            end = _end_by_holder(holder)
        attempts.append(Attempt(start, end or "killed", why))
    return attempts[::-1]


def _end(events: Sequence[Event]) -> tuple[str, str]:
    for event in reversed(events):
        if event.kind in _ENDS:
            return _ENDS[event.kind], event.text
    return "", ""


def _end_by_holder(holder: Holder | None) -> str:
    if holder is None:
        return "ended"
    return "running" if holder.alive else "killed"


def _state(attempts: Sequence[Attempt], last_step: int | None) -> str:
    """Return the state of a run that no process has.

    Args:
        attempts: its processes.
        last_step: the last step with metrics, or None.
    """
    if not attempts:
        return "not begun" if last_step is None else "ended"
    last = attempts[-1]
    return f"stopped ({last.why})" if last.end == "stopped" and last.why else last.end


def _steps_done(last_step: int | None, events: Sequence[Event]) -> int:
    """Return how many steps are complete, as the last metrics and the events say."""
    # a program need not log anything
    said = 0
    for event in events:
        if event.kind in _BEGINS:
            said = event.step
        elif event.kind in ("saved", *_ENDS):
            said = max(said, event.step)
    return max(said, 0 if last_step is None else last_step + 1)


def _planned(events: Sequence[Event]) -> Planned | None:
    """Return the plan of the last loop.

    A loop that goes on in another process is planned again, at the step where it goes on.
    """
    begins = [0]
    in_new_process, planned = True, None
    for event in events:
        if event.kind in _BEGINS:
            in_new_process = True
            begins = [step for step in begins if step <= event.step] or [0]
        elif event.kind == "planned":
            if not in_new_process:
                begins.append(event.step)
            in_new_process = False
            planned = _parsed_plan(event.text, begins[-1])
    return planned


def _parsed_plan(text: str, first_step: int) -> Planned | None:
    try:
        plan = json.loads(text)
        epochs, steps = plan["epochs"], plan["steps_per_epoch"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if type(epochs) is not int or not (steps is None or type(steps) is int):
        return None
    return Planned(first_step, epochs, steps)
