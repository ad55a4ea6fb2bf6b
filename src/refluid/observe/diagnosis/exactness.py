"""Has the run gone on exactly wherever it was stopped?

Only what still counts is looked at: steps that a later process did again are gone, whatever the
process before it was like.
May import: observe.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Set

from refluid.observe.diagnosis.finding import Finding, Severity
from refluid.observe.diagnosis.history import History
from refluid.observe.diagnosis.wording import listed
from refluid.observe.journal.format import Event, Start

__all__ = ["damaged_checkpoint", "inexact_resume"]

_ABSENT = "not set"


def inexact_resume(history: History, found: Set[str]) -> Finding | None:
    """Find steps where the run went on in another environment, or with other settings."""
    changes: dict[int, str] = dict(_environments(history.starts))
    for event in history.events:
        if event.kind == "changed" and _counts(event, history.starts):
            # the run's own words say more
            changes[event.step] = event.text
    if not changes:
        return None
    texts = [f"at {history.place(step)}: {text}" for step, text in sorted(changes.items())]
    return Finding(
        kind="inexact_resume",
        title="The run may not have gone on exactly",
        evidence=f"Something had changed when it went on {listed(texts)}.",
        advice=(
            "From there on, numbers can differ from those of an uninterrupted run. For exact "
            "results go on with the same machine, versions and settings, or train anew; "
            "`refluid.Run(..., strict=True)` refuses to go on otherwise."
        ),
        severity=Severity.WARNING,
        steps=tuple(sorted(changes)),
    )


def damaged_checkpoint(history: History, found: Set[str]) -> Finding | None:
    """Find checkpoints that were damaged on disk."""
    damaged = [event for event in history.events if event.kind == "damaged"]
    if not damaged:
        return None
    texts = [f"that of {history.place(each.step)} ({each.text})" for each in damaged]
    return Finding(
        kind="damaged_checkpoint",
        title="A checkpoint was damaged",
        evidence=f"Damaged: {listed(texts)}. An earlier one was used, so the numbers are exact.",
        advice=(
            "Only time was lost, but files do not damage themselves: check the disk, and whether "
            "another program writes into the run's directory."
        ),
        severity=Severity.NOTE,
        steps=tuple(sorted({each.step for each in damaged})),
    )


def _environments(starts: list[Start]) -> Iterator[tuple[int, str]]:
    """Iterate over steps before which another environment was in force, and what differs."""
    lasting: list[Start] = []
    for start in starts:
        while lasting and lasting[-1].from_step >= start.from_step:
            lasting.pop()
        lasting.append(start)
    for before, now in itertools.pairwise(lasting):
        names = dict.fromkeys([*now.environment, *before.environment])
        changed = [
            f"{name} {before.environment.get(name, _ABSENT)} before, "
            f"{now.environment.get(name, _ABSENT)} then"
            for name in names
            if before.environment.get(name) != now.environment.get(name)
        ]
        if changed:
            yield now.from_step, listed(changed)


def _counts(event: Event, starts: list[Start]) -> bool:
    """Tell whether no later process went on from that step or an earlier one."""
    return all(start.from_step > event.step for start in starts if start.time > event.time)
