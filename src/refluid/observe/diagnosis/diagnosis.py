"""What a good teacher would say of a run.

Each question is one function, which answers with a finding, with what is missing to answer it, or
with nothing: all is well. Causes are asked for before what they lead to, and a question is given
the kinds that were found before it.
May import: numpy, observe.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass

import numpy as np

from refluid.observe.diagnosis.balance import unbalanced_classes
from refluid.observe.diagnosis.exactness import damaged_checkpoint, inexact_resume
from refluid.observe.diagnosis.finding import Finding, Missing
from refluid.observe.diagnosis.gradient import exploding_gradients, vanishing_gradients
from refluid.observe.diagnosis.history import Curves, History
from refluid.observe.diagnosis.overfitting import overfitting
from refluid.observe.diagnosis.pace import learning_rate_low
from refluid.observe.diagnosis.stability import diverging, learning_rate_high
from refluid.observe.diagnosis.standstill import plateau, underfitting
from refluid.observe.diagnosis.unit import dead_units
from refluid.observe.journal.reader import JournalReader

__all__ = ["Diagnosis", "diagnose", "examine"]

Question = Callable[[History, Set[str]], Finding | Missing | None]

_QUESTIONS: dict[str, Question] = {
    "diverging": diverging,
    "a learning rate that is too high": learning_rate_high,
    "exploding gradients": exploding_gradients,
    "vanishing gradients": vanishing_gradients,
    "dead units": dead_units,
    "a learning rate that is too low": learning_rate_low,
    "overfitting": overfitting,
    "a plateau": plateau,
    "underfitting": underfitting,
    "unbalanced classes": unbalanced_classes,
    "resumes that were not exact": inexact_resume,
    "damaged checkpoints": damaged_checkpoint,
}


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """All that can be said of a run.

    Args:
        findings: the most serious first.
        examined: what was looked for, in words.
        missing: what could not be looked for, and why.
    """

    findings: list[Finding]
    examined: list[str]
    missing: dict[str, Missing]


def examine(journal: JournalReader, curves: Curves | None = None) -> Diagnosis:
    """Look for everything that can go wrong in a run.

    Args:
        journal: of the run, open. It may still be written.
        curves: all its metrics by name, as `journal.curve` returns them; for one who has read
            them, so that they are not read again.

    Raises:
        RunError: the journal cannot be read.
    """
    with np.errstate(all="ignore"):
        # what overflows is no number, and answers no question with yes
        return _examine(History.read(journal, curves))


def _examine(history: History) -> Diagnosis:
    findings: list[Finding] = []
    examined: list[str] = []
    missing: dict[str, Missing] = {}
    for subject, ask in _QUESTIONS.items():
        answer = ask(history, {finding.kind for finding in findings})
        if isinstance(answer, Missing):
            missing[subject] = answer
            continue
        examined.append(subject)
        if answer is not None:
            findings.append(answer)
    # equally serious ones stay in their order: causes first
    findings.sort(key=lambda finding: -finding.severity)
    return Diagnosis(findings=findings, examined=examined, missing=missing)


def diagnose(journal: JournalReader) -> list[Finding]:
    """Return what goes wrong in a run, the most serious first; nothing for a healthy one.

    Args:
        journal: of the run, open.

    Raises:
        RunError: the journal cannot be read.
    """
    return examine(journal).findings
