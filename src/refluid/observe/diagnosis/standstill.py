"""Has training come to a standstill far from its goal?

A run that has learned its task stands still in the end as well; only a poor one is found here.
Where validation is as poor as training, the network is too weak: it underfits. Otherwise it is a
plateau.
May import: numpy, observe.diagnosis.
"""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from refluid.observe.diagnosis.finding import Finding, Missing, Severity
from refluid.observe.diagnosis.gradient import WATCH
from refluid.observe.diagnosis.history import History
from refluid.observe.diagnosis.overfitting import NO_VALIDATION
from refluid.observe.diagnosis.series import Series
from refluid.observe.diagnosis.stability import missing_loss
from refluid.observe.diagnosis.wording import number, percent

__all__ = ["plateau", "underfitting"]

# less than this share of the plan tells nothing of what is reached
_YOUNG = 0.2
# an accuracy below the first, or a loss above this share of the first, is far from the goal
_POOR_ACCURACY, _POOR_LOSS = 0.75, 0.6
_FLAT = 0.02
_SURE = 4.0
_COLLAPSED = 0.01
_ALIKE_ACCURACY, _ALIKE_LOSS = 0.10, 0.3


def plateau(history: History, found: Set[str]) -> Finding | Missing | None:
    """Find a loss that has stopped falling far from its goal."""
    missing = missing_loss(history)
    if missing is not None or found or not _stands_still(history):
        return missing
    loss, rates = history.curve("loss"), history.curve("lr")
    end = loss.last(0.5).level
    levels = loss.parts(20)
    near = abs(_FLAT * end) + 2 * float(np.std([part.level for part in levels[10:]]))
    step = int(next(part for part in levels if part.level <= end + near).steps[0])
    evidence = (
        f"Since {history.place(step)} the loss has stayed at {number(end)}; it began at "
        f"{number(history.first_loss)}."
    )
    if len(rates) and rates.last(0.5).level < _COLLAPSED * rates.values.max():
        return _finding(f"{evidence} {_fallen_rate(history, rates)}", _LATER, step)
    if isinstance(underfitting(history, found), Finding):
        return None
    return _finding(evidence, _OTHERWISE, step)


_LATER = (
    "The learning rate has fallen too early. Let it fall more slowly or later: its schedule should "
    "last as long as the training."
)
_OTHERWISE = (
    "Try another learning rate: 10 times larger if the loss has hardly moved at all, 10 times "
    "smaller if it fell well before. Then check that inputs are scaled, that labels belong to "
    "their inputs, and that the optimizer was given the model's parameters; and look at the "
    f"layers: `{WATCH}`."
)


def _finding(evidence: str, advice: str, step: int) -> Finding:
    return Finding(
        kind="plateau",
        title="Training stands still",
        evidence=evidence,
        advice=advice,
        severity=Severity.WARNING,
        steps=(step,),
    )


def _fallen_rate(history: History, rates: Series) -> str:
    highest = float(rates.values.max())
    small = rates.values < _COLLAPSED * highest
    # a warm-up begins small as well
    since = int(rates.steps[np.flatnonzero(~small)[-1] + 1])
    return (
        f"The learning rate fell from {number(highest)} to {number(rates.last(0.5).level)}: since "
        f"{history.place(since)} it has been below a hundredth of its highest."
    )


def underfitting(history: History, found: Set[str]) -> Finding | Missing | None:
    """Find a network that is poor on training and validation data, and no longer gets better."""
    missing = missing_loss(history)
    if missing is not None:
        return missing
    if not len(history.curve("valid_loss")) and not len(history.curve("valid_accuracy")):
        return NO_VALIDATION
    if found or not _stands_still(history):
        return None
    evidence = _alike(history)
    if evidence is None:
        return None
    loss = history.curve("loss")
    return Finding(
        kind="underfitting",
        title="Underfitting",
        evidence=f"{evidence}; for half of the run it has not got better.",
        advice=(
            "The network is too weak for the task, or is held back. Try more units or layers, "
            "weaker regularization (a smaller `--l2`, less dropout), or features that say more; "
            "and check that inputs are scaled and labels belong to their inputs: a sound network "
            "can learn 50 samples by heart."
        ),
        severity=Severity.WARNING,
        steps=(int(loss.steps[len(loss) // 2]),),
    )


def _stands_still(history: History) -> bool:
    return history.progress >= _YOUNG and _is_poor(history) and _is_flat(history.curve("loss"))


def _is_poor(history: History) -> bool:
    accuracy, loss = history.curve("accuracy"), history.curve("loss")
    if len(accuracy):
        return accuracy.last(0.2).mean < _POOR_ACCURACY
    return loss.last(0.2).level > _POOR_LOSS * history.first_loss


def _is_flat(loss: Series) -> bool:
    _, before, _, after = loss.parts(4)
    size = abs(before.level)
    rise, error = loss.last(0.5).slope()
    return before.level - after.level < _FLAT * size and rise > -max(_FLAT * size, _SURE * error)


def _alike(history: History) -> str | None:
    """Say that training and validation reached the same, or return None."""
    train, valid = history.curve("accuracy"), history.curve("valid_accuracy")
    if len(train) and len(valid):
        own, other = train.last(0.2).mean, valid.last(0.25).mean
        text = (
            f"Only {percent(own)} of the training data are taken right, and {percent(other)} of "
            "the validation data"
        )
        return text if abs(own - other) < _ALIKE_ACCURACY else None
    train, valid = history.curve("loss"), history.curve("valid_loss")
    own, other = train.last(0.2).mean, valid.last(0.25).mean if len(valid) else float("nan")
    text = (
        f"The loss on the training data came from {number(history.first_loss)} only to "
        f"{number(own)}, that on the validation data to {number(other)}"
    )
    return text if abs(other - own) < _ALIKE_LOSS * abs(own) else None
