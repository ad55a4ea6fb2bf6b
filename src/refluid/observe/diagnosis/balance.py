"""Are there classes that are much rarer than others, and do they suffer from it?

May import: numpy, observe.
"""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from refluid.observe.diagnosis.finding import Finding, Missing, Severity
from refluid.observe.diagnosis.history import History
from refluid.observe.diagnosis.wording import listed, percent
from refluid.observe.record import Confusion, Table

__all__ = ["unbalanced_classes"]

_RARE = 4.0
_RARE_UNSEEN = 10.0
_LESS_RECALL = 0.15
_NOISES = 2.0


def unbalanced_classes(history: History, found: Set[str]) -> Finding | Missing | None:
    """Find rare classes that are recognized less often than the others."""
    confusion = history.confusion
    counts = _counts(history.class_counts) or _rows(confusion)
    if not counts:
        return Missing(
            "no `confusion` or `class_counts` was recorded",
            "run.record(**judged.records())  # judged = refluid.Classification(classes)",
        )
    most = max(counts.values())
    if len(counts) < 2 or not most:
        return None
    rare = [name for name, n in counts.items() if _RARE * n + _NOISES * _RARE * np.sqrt(n) < most]
    if not rare:
        return None
    shares = listed([f"{name} ({counts[name]:,})" for name in rare])
    largest = max(counts, key=lambda name: counts[name])
    evidence = f"There are {most:,} samples of {largest}, but few of {shares}."
    recalls = _recalls(confusion, rare)
    if recalls is None:
        if most < _RARE_UNSEEN * min(counts.values()):
            return None
        return _finding(
            f"{evidence} How well these are recognized was not recorded.", Severity.NOTE
        )
    few, others, error = recalls
    if others - few < max(_LESS_RECALL, _NOISES * error):
        return None
    evidence += (
        f" {percent(few)} of the rare ones are recognized, and {percent(others)} of the others."
    )
    return _finding(evidence, Severity.WARNING)


def _finding(evidence: str, severity: Severity) -> Finding:
    return Finding(
        kind="unbalanced_classes",
        title="Classes are unbalanced",
        evidence=evidence,
        advice=(
            "The accuracy hides what happens to rare classes: look at the recall of each. Give "
            "them more weight in the loss (`torch.nn.CrossEntropyLoss(weight=...)`), draw them "
            "more often (`torch.utils.data.WeightedRandomSampler`), or collect more of them."
        ),
        severity=severity,
    )


def _counts(table: Table | None) -> dict[str, int]:
    """Return samples by class: the first column, and the first of whole numbers."""
    if table is None:
        return {}
    found = {}
    for row in table.rows:
        numbers = [cell for cell in row[1:] if isinstance(cell, int)]
        if numbers:
            found[str(row[0])] = numbers[0]
    return found


def _rows(confusion: Confusion | None) -> dict[str, int]:
    if confusion is None:
        return {}
    sums = confusion.counts.sum(axis=1).tolist()
    return dict(zip(confusion.classes, sums, strict=True))


def _recalls(confusion: Confusion | None, rare: list[str]) -> tuple[float, float, float] | None:
    """Return the recall of rare classes, of the others, and the standard error of the first."""
    if confusion is None:
        return None
    chosen = np.isin(confusion.classes, rare)
    right, samples = confusion.counts.diagonal(), confusion.counts.sum(axis=1)
    num, num_others = int(samples[chosen].sum()), int(samples[~chosen].sum())
    if not num or not num_others:
        return None
    few = float(right[chosen].sum() / num)
    others = float(right[~chosen].sum() / num_others)
    # as if one more were right and one more wrong: few samples are never sure
    share = (few * num + 1) / (num + 2)
    return few, others, float(np.sqrt(share * (1 - share) / num))
