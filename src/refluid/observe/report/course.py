"""How a run went: its processes, what stopped them, and whether it went on exactly.

What speaks against exactness, the diagnosis knows.
May import: observe.
"""

from __future__ import annotations

from collections.abc import Iterator

from refluid.observe.report.markup import Html, element, join, prose
from refluid.observe.report.material import Material
from refluid.observe.report.number import count, instant
from refluid.observe.report.table import clipped, draw_table
from refluid.observe.run.summary import Attempt, Summary

__all__ = ["draw_course", "is_exact", "trained_s"]

_MAX_ATTEMPTS = 200
_LETTERS = 400
_EXACT = (
    "Parameters, optimizer, random generators and the position in the data were restored, and "
    "nothing is known to have changed between the processes: it is the run that it would have been "
    "without an interruption, bit for bit, as far as the program has everything tracked that it "
    "trains with. `refluid verify` proves that for a program."
)


def draw_course(material: Material) -> Html | None:
    """Return the processes of a run, and what is known about how exactly it went on."""
    attempts = material.summary.attempts
    if not attempts:
        return None
    shown = attempts[-_MAX_ATTEMPTS:]
    rows = [
        (
            f"{number}",
            instant(attempt.start.time),
            f"{attempt.start.from_step:,}",
            _end(attempt),
            f"{clipped(attempt.start.host, 80)}, {attempt.start.pid}",
        )
        for number, attempt in enumerate(shown, len(attempts) - len(shown) + 1)
    ]
    columns = ("process", "began", "from step", "how it ended", "machine, process id")
    numeric = (False, False, True, False, False)
    table = draw_table("The processes of the run", columns, rows, numeric=numeric)
    return join(*(element("p", prose(text)) for text in _told(material)), table)


def is_exact(material: Material) -> bool:
    """Return whether nothing is known to have changed where a run went on."""
    return _evidence(material, "inexact_resume") is None


def trained_s(summary: Summary) -> float:
    """Return how long the processes of a run have worked, as far as they wrote it down."""
    times = sorted(event.time for event in summary.events)
    total = 0.0
    begins = [attempt.start.time for attempt in summary.attempts]
    for begin, end in zip(begins, [*begins[1:], float("inf")], strict=True):
        within = [time for time in times if begin <= time < end]
        total += max(within, default=begin) - begin
    return total


def _told(material: Material) -> Iterator[str]:
    summary = material.summary
    steps = summary.resume_steps
    if steps:
        kills = f" ({count(summary.num_kills, 'kill')})" if summary.num_kills else ""
        yield (
            f"It was interrupted {count(len(steps), 'time')}{kills}, and each time a new process "
            "went on from a save."
        )
        evidence = _evidence(material, "inexact_resume")
        yield _EXACT if evidence is None else f"It may not have gone on exactly. {evidence}"
    elif len(summary.attempts) > 1:
        yield f"It was begun {len(summary.attempts):,} times, each time from the beginning."
    elif summary.state == "running":
        yield "It has run in one process so far."
    else:
        yield "It ran in one piece, in one process."
    damage = _evidence(material, "damaged_checkpoint")
    if damage is not None:
        yield damage


def _evidence(material: Material, kind: str) -> str | None:
    findings = material.diagnosis.findings
    return next((finding.evidence for finding in findings if finding.kind == kind), None)


def _end(attempt: Attempt) -> str:
    why = f": {clipped(attempt.why, _LETTERS)}" if attempt.why else ""
    words = {"running": "still running", "complete": "came to its end", "ended": "ended in order"}
    return words.get(attempt.end, attempt.end) + why
