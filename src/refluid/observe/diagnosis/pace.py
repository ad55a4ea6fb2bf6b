"""Does training get on fast enough? May import: observe.diagnosis."""

from __future__ import annotations

from collections.abc import Set

from refluid.observe.diagnosis.finding import Finding, Missing, Severity
from refluid.observe.diagnosis.history import History
from refluid.observe.diagnosis.series import Series
from refluid.observe.diagnosis.stability import missing_loss
from refluid.observe.diagnosis.wording import number, percent

__all__ = ["learning_rate_low"]

_YOUNG = 0.2
_FEWEST = 6
# a way down that is straight, and not farther than this share of the start
_SHORT, _FAR = 0.2, 0.5
_NOTHING = 5e-4
_STRAIGHT = 0.4
_SURE = 4.0
_SMALL_UPDATE = 1e-4


def learning_rate_low(history: History, found: Set[str]) -> Finding | Missing | None:
    """Find a loss that falls steadily, and hardly."""
    missing = missing_loss(history)
    if missing is not None or history.progress < _YOUNG:
        return missing
    if found & {"diverging", "learning_rate_high", "vanishing_gradients"}:
        return None
    # validations begin late: most of the way may be before the first
    if history.curve("loss").last(0.2).level < (1 - _FAR) * history.first_loss:
        return None
    # a validation's loss has no noise of batches
    for name, data in (("valid_loss", "validation"), ("loss", "training")):
        curve = history.curve(name)
        way = _straight_way(curve)
        if way is not None:
            return _finding(history, curve, data, way)
    return None


def _straight_way(curve: Series) -> float | None:
    """Return by which share of its start a curve fell on a straight way, or None."""
    if len(curve) < _FEWEST:
        return None
    half = len(curve) // 2
    falls = []
    for part in (curve[:half], curve[half:]):
        rise, error = part.slope()
        if -rise < _SURE * error:
            return None
        falls.append(-rise)
    start = abs(curve.first(0.1).level)
    if not _NOTHING * start < sum(falls) <= _SHORT * start or falls[1] < _STRAIGHT * falls[0]:
        return None
    return sum(falls) / start


def _finding(history: History, curve: Series, data: str, way: float) -> Finding:
    first, last = int(curve.steps[0]), int(curve.steps[-1])
    evidence = (
        f"From {history.place(first)} to {history.place(last)} the loss on the {data} data fell by "
        f"only {percent(way)}, from {number(curve.first(0.1).level)} to "
        f"{number(curve.last(0.1).level)}, in the second half about as fast as in the first: it is "
        "still on its way."
    )
    rates, updates = history.curve("lr"), history.curve("update_ratio")
    if len(rates):
        evidence += f" The learning rate was at most {number(rates.values.max())}."
    if len(updates) and updates.level < _SMALL_UPDATE:
        evidence += f" A step changes the parameters by {number(updates.level)} of their size."
    return Finding(
        kind="learning_rate_low",
        title="The learning rate is too low",
        evidence=evidence,
        advice=(
            "Try a learning rate 10 times larger (`--lr`), and again as long as the loss falls "
            "faster; Adam depends on it less than SGD. Otherwise train much longer."
        ),
        severity=Severity.WARNING,
        steps=(first, last),
    )
