"""Does the network learn the training data by heart?

May import: numpy, observe.diagnosis.
"""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from refluid.observe.diagnosis.finding import Finding, Missing, Severity
from refluid.observe.diagnosis.history import History
from refluid.observe.diagnosis.series import Series
from refluid.observe.diagnosis.wording import number, percent

__all__ = ["NO_VALIDATION", "overfitting"]

NO_VALIDATION = Missing(
    "no `valid_loss` or `valid_accuracy` was logged", "run.validate(valid_batches, score)"
)
_FEWEST_VALIDATIONS = 5
# a validation loss this much above its best, and by this share of the first loss
_WORSE, _OF_START = 0.10, 0.02
_MUCH_WORSE = 0.25
# training goes on: its loss falls by this share, its accuracy rises by this
_FALLEN, _RISEN = 0.05, 0.01
_LOST_ACCURACY = 0.02
_GAP = 0.10
_NOISES = 3.0

_ADVICE = (
    "The network learns the training data by heart. Try a larger L2 coefficient (`refluid train "
    "--l2 0.001`, `weight_decay=` of an optimizer of torch, in fluid `ParamAttr(regularizer=fluid."
    "regularizer.L2Decay(0.001))`), dropout, more or augmented data, or a smaller network; or stop "
    'earlier and keep the best: `refluid.Run(..., keep_lowest="valid_loss", patience=5)`.'
)


def overfitting(history: History, found: Set[str]) -> Finding | Missing | None:
    """Find a validation that gets worse while training gets better."""
    loss, accuracy = history.curve("valid_loss"), history.curve("valid_accuracy")
    num = max(len(loss), len(accuracy))
    if found & {"diverging", "learning_rate_high"}:
        return None
    if not num:
        return NO_VALIDATION
    if num < _FEWEST_VALIDATIONS:
        return Missing(f"there are {num} validations, and {_FEWEST_VALIDATIONS} are needed")
    return (
        _loss_rises(history, loss)
        or _accuracy_falls(history, accuracy)
        or _curves_part(history, accuracy)
    )


def _loss_rises(history: History, valid: Series) -> Finding | None:
    train = history.curve("loss")
    if len(valid) < _FEWEST_VALIDATIONS or not len(train):
        return None
    best, low = _lowest(valid.values)
    end = valid.last(0.25)
    high = end.level
    least = max(_WORSE * abs(low), _OF_START * abs(history.first_loss), _NOISES * valid.noise)
    # one bad validation at the end is no trend
    if high - low < least or end.values.min() - low < least / 2:
        return None
    before, after = _around(train, valid, best)
    if after > before - _FALLEN * abs(before):
        return None
    step = int(valid.steps[best])
    evidence = (
        f"Since {_validation(history, valid, best)} the loss on the validation data has risen from "
        f"{number(low)} to {number(high)}, while that on the training data fell from "
        f"{number(before)} to {number(after)}.{_accuracy_since(history, step)}"
    )
    return _finding(evidence, step, serious=high - low > _MUCH_WORSE * abs(low))


def _accuracy_falls(history: History, valid: Series) -> Finding | None:
    train = history.curve("accuracy")
    if len(valid) < _FEWEST_VALIDATIONS or not len(train):
        return None
    best, low = _lowest(-valid.values)
    high, end = -low, valid.last(0.25)
    least = max(_LOST_ACCURACY, _NOISES * valid.noise)
    if high - end.level < least or high - end.values.max() < least / 2:
        return None
    before, after = _around(train, valid, best)
    if after < before + _RISEN:
        return None
    evidence = (
        f"Since {_validation(history, valid, best)} the accuracy on the validation data has fallen "
        f"from {percent(high)} to {percent(end.level)}, while that on the training data rose from "
        f"{percent(before)} to {percent(after)}."
    )
    return _finding(evidence, int(valid.steps[best]), serious=True)


def _curves_part(history: History, valid: Series) -> Finding | None:
    train = history.curve("accuracy")
    if len(valid) < _FEWEST_VALIDATIONS or not len(train):
        return None
    _, middle, end = valid.parts(3)
    reached = train.last(0.2).mean
    if reached - float(end.values.max()) < _GAP or end.mean > middle.mean + _RISEN:
        return None
    own = np.array([_around(train, valid, k)[0] for k in range(len(valid))])
    near = np.flatnonzero(own - valid.values < _GAP / 2)
    first = min(int(near[-1]) + 1, len(valid) - 1) if len(near) else 0
    evidence = (
        f"{percent(reached)} of the training data are taken right, but only {percent(end.mean)} of "
        f"the validation data; the two have parted since {_validation(history, valid, first)}, and "
        "validation no longer gets better."
    )
    return _finding(evidence, int(valid.steps[first]), serious=False)


def _finding(evidence: str, step: int, *, serious: bool) -> Finding:
    return Finding(
        kind="overfitting",
        title="Overfitting",
        evidence=evidence,
        advice=_ADVICE,
        severity=Severity.SERIOUS if serious else Severity.WARNING,
        steps=(step,),
    )


def _lowest(values: np.ndarray) -> tuple[int, float]:
    """Return where the lowest level is, and the level; one lucky value is none."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    levels = np.median(np.lib.stride_tricks.sliding_window_view(padded, 3), axis=1)
    best = int(levels.argmin())
    return best, float(levels[best])


def _around(train: Series, valid: Series, index: int) -> tuple[float, float]:
    """Return the training's level in the steps before a validation, and at the end."""
    length = max(1, round(len(train) / len(valid)))
    before = train.until(int(valid.steps[index]))
    return (before[-length:] if len(before) else train[:1]).mean, train[-length:].mean


def _validation(history: History, valid: Series, index: int) -> str:
    return f"validation {index + 1:,} ({history.place(int(valid.steps[index]))})"


def _accuracy_since(history: History, step: int) -> str:
    valid = history.curve("valid_accuracy")
    before = valid.until(step)
    if not len(before) or len(before) == len(valid):
        return ""
    old, new = before[-3:].level, valid.last(0.25).level
    verb = "fell" if new < old else "rose"
    return f" The accuracy on the validation data {verb} from {percent(old)} to {percent(new)}."
