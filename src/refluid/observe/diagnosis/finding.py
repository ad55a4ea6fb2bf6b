"""What is found in a run, and what cannot be told because nothing was logged.

May import: nothing of refluid.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Finding", "Missing", "Severity"]


class Severity(IntEnum):
    """How much a finding matters: the higher, the more."""

    NOTE = 1
    WARNING = 2
    SERIOUS = 3


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that goes wrong in a run.

    Args:
        kind: the same for all findings of its sort, such as `overfitting`.
        title: a few words.
        evidence: what it is seen by, with numbers and steps.
        advice: what to try.
        severity: how much it matters.
        steps: where it can be seen, in their order; it may be empty.
    """

    kind: str
    title: str
    evidence: str
    advice: str
    severity: Severity
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class Missing:
    """Why a question about a run has no answer.

    Args:
        reason: what is not there, as a clause: "no `valid_loss` was logged".
        line: the line of a program that would log it, or nothing if only time is missing.
    """

    reason: str
    line: str = ""
