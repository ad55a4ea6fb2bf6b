"""Are there units that do nothing? May import: observe.diagnosis."""

from __future__ import annotations

import re
from collections.abc import Set

from refluid.observe.diagnosis.finding import Finding, Missing, Severity
from refluid.observe.diagnosis.gradient import WATCH
from refluid.observe.diagnosis.history import History
from refluid.observe.diagnosis.wording import listed, percent

__all__ = ["dead_units"]

# of a layer: a healthy one has some too, as where inputs are always 0, or after fast learning
_MANY = 0.4
_SILENT = 0.9
# in a single batch many units are at 0 by chance
_FEWEST_LOOKS = 3


def dead_units(history: History, found: Set[str]) -> Finding | Missing | None:
    """Find layers with many units whose output is always 0."""
    looks = ((name, curve.until(history.whole_until)) for name, curve in history.below("dead/"))
    layers = {name: curve for name, curve in looks if len(curve)}
    if not layers:
        return Missing("no `dead/<layer>` was logged", WATCH)
    num_looks = max(map(len, layers.values()))
    if num_looks < _FEWEST_LOOKS:
        return Missing(
            f"the layers were looked at {num_looks} times, and {_FEWEST_LOOKS} are needed"
        )
    texts, steps = [], []
    serious = False
    for name, curve in layers.items():
        num = int(curve.values[-1])
        total = _num_units(history, name)
        zeros = history.curve(f"zeros/{name}").until(history.whole_until)
        silent = len(zeros) > 0 and num > 0 and zeros.values[-1] >= _SILENT
        if not silent and (total is None or num < _MANY * total):
            continue
        of = f"{num:,} of {total:,}" if total else f"{num:,}"
        share = f" ({percent(zeros.values[-1])} of its output is 0)" if len(zeros) else ""
        texts.append(f"{name}, where {of} units are always 0{share}")
        steps.append(int(curve.steps[-1]))
        serious |= num == total or bool(silent)
    if not texts:
        return None
    return Finding(
        kind="dead_units",
        title="Units are dead",
        evidence=f"In {history.place(max(steps))}: {listed(texts)}.",
        advice=(
            "A unit whose output is always 0 gets no gradient and does not come back. Try a "
            "smaller learning rate, begin with biases of 0 or slightly above, scale the inputs, "
            "or take LeakyReLU, ELU or GELU in place of ReLU."
        ),
        severity=Severity.SERIOUS if serious else Severity.WARNING,
        steps=tuple(sorted(set(steps))),
    )


def _num_units(history: History, layer: str) -> int | None:
    """Return how many units a layer has by the table of layers, or None if that does not say."""
    if history.layers is None or "parameters" not in history.layers.columns:
        return None
    column = history.layers.columns.index("parameters")
    for row in history.layers.rows:
        if row[0] == layer:
            # what has one dimension has one number for each unit, as a bias has
            sizes = re.findall(r"\[(\d+)\]", str(row[column]))
            return int(sizes[0]) if sizes else None
    return None
