"""Does the loss stay finite, does it grow, does it jump?

May import: numpy, observe.diagnosis.
"""

from __future__ import annotations

import math
from collections.abc import Set

import numpy as np

from refluid.observe.diagnosis.finding import Finding, Missing, Severity
from refluid.observe.diagnosis.history import History
from refluid.observe.diagnosis.series import Series
from refluid.observe.diagnosis.wording import number

__all__ = ["diverging", "learning_rate_high", "missing_loss"]

_FEWEST = 20

_WINDOWS = 20
# a loss that has grown to this multiple of its lowest level, and by this share of its way down
_GROWN, _OF_ITS_WAY = 2.0, 0.1
# of the first level: what happens below it means nothing for stability
_FLOOR = 0.05
_SMALLEST = 1e-100
_JUMP = 2.0
_FEWEST_JUMPS = 3
# above the first level this much is bad if it ends no better than that; and this much anyway
_OVERSHOOT, _POOR = 1.5, 0.5
_FAR_OVERSHOOT = 10.0
_GAINED, _LOST = 0.8, 0.95
_NOISES = 4.0
# independent values turn at two of three points
_TURNS, _SWING = 0.9, 0.1

_SLOWER = (
    "Try a learning rate 3 to 10 times smaller (`--lr`), a warm-up of the learning rate over the "
    "first steps, or clipping the gradients (`torch.nn.utils.clip_grad_norm_(parameters, 1.0)`; "
    "in fluid `grad_clip=fluid.clip.GradientClipByGlobalNorm(1.0)`)."
)
_BROKEN = (
    "The loss was not large before, so a single operation or sample is the likely cause: a "
    "logarithm or a root of 0, a division by 0, or data that are not finite. Check the data "
    "(`torch.isfinite(x).all()`), take `cross_entropy` on logits in place of the logarithm of a "
    "softmax, and add a small constant under logarithms and roots."
)


def missing_loss(history: History) -> Missing | None:
    """Return what is missing to judge the curve of the loss."""
    num = len(history.curve("loss"))
    if not len(history.all("loss")):
        return Missing("no `loss` was logged", "run.log(loss=loss)")
    if num < _FEWEST:
        return Missing(f"`loss` has {num} finite values, and {_FEWEST} are needed")
    return None


def diverging(history: History, found: Set[str]) -> Finding | Missing | None:
    """Find a loss that is not finite, or that grows."""
    loss = history.all("loss")
    broken = np.flatnonzero(~np.isfinite(loss.values))
    if len(broken):
        return _not_finite(history, loss, broken)
    missing = missing_loss(history)
    if missing is not None or not _floor(history):
        return missing
    return _growing(history, history.curve("loss"))


def _floor(history: History) -> float:
    """Return up to where a loss means nothing, 0 if it began at 0: then no ratio says anything."""
    floor = _FLOOR * abs(history.first_loss)
    return floor if floor > _SMALLEST else 0.0


def _not_finite(history: History, loss: Series, broken: np.ndarray) -> Finding:
    first = int(broken[0])
    step = int(loss.steps[first])
    before = loss[:first]
    if len(broken) == len(loss) - first:
        evidence = f"The loss is not a finite number from {history.place(step)} on"
    else:
        evidence = (
            f"The loss is not a finite number in {len(broken):,} of {len(loss):,} steps, at first "
            f"in {history.place(step)}"
        )
    if first:
        evidence += f"; it began at {number(loss.values[0])}"
        evidence += f" and was {number(loss.values[first - 1])} before that"
    grew = first > 1 and before.values[-3:].max() > _JUMP * before.first(0.1).level
    return Finding(
        kind="diverging",
        title="The loss is no longer a number" if first else "The loss is not a number",
        evidence=f"{evidence}.",
        advice=f"The updates are too large. {_SLOWER}" if grew else _BROKEN,
        severity=Severity.SERIOUS,
        steps=(step,),
    )


def _growing(history: History, curve: Series) -> Finding | None:
    start = abs(history.first_loss)
    parts = curve.scaled(_floor(history)).parts(_WINDOWS)
    levels = np.array([part.level for part in parts])
    lowest = int(levels.argmin())
    # one good window at the end is no recovery, and one bad window is no divergence
    end = float(np.median(levels[-3:]))
    noise = float(np.median([np.std(part.values) / math.sqrt(len(part)) for part in parts]))
    rise = end - levels[lowest]
    raw = [part.level for part in curve.parts(_WINDOWS)]
    risen = float(np.median(raw[-3:])) - raw[lowest]
    if (
        lowest > len(parts) - 4
        or rise < math.log(_GROWN) + _NOISES * noise
        or risen < _OF_ITS_WAY * start
    ):
        return None
    # the last window that was still near the lowest level
    last = max(k for k in range(len(parts)) if levels[k] <= levels[lowest] + rise / 4)
    step = int(parts[last].steps[-1])
    return Finding(
        kind="diverging",
        title="The loss grows",
        evidence=(
            f"The loss was lowest around {history.place(int(parts[lowest].steps[0]))} at "
            f"{number(raw[lowest])}; from {history.place(step)} on it has risen to "
            f"{number(raw[lowest] + risen)}."
        ),
        advice=f"The updates are too large for where the network is now. {_SLOWER}",
        severity=Severity.SERIOUS,
        steps=(int(parts[lowest].steps[0]), step),
    )


def learning_rate_high(history: History, found: Set[str]) -> Finding | Missing | None:
    """Find a loss that jumps up, or swings up and down."""
    missing = missing_loss(history)
    if missing is not None or not _floor(history):
        return missing
    loss = history.curve("loss")
    seen = (
        _overshoot(history, loss)
        or _relapse(history, loss)
        or _jumps(history, loss)
        or _swings(history, loss)
    )
    if seen is None:
        return None
    evidence, steps = seen
    rates = history.curve("lr")
    if len(rates):
        evidence += f" The learning rate was {number(rates.values.max())}."
    return Finding(
        kind="learning_rate_high",
        title="The learning rate is too high",
        evidence=evidence,
        advice=_SLOWER,
        severity=Severity.SERIOUS,
        steps=steps,
    )


def _overshoot(history: History, loss: Series) -> tuple[str, tuple[int, ...]] | None:
    """Find a loss that shot up above its start."""
    start, floor = history.first_loss, _floor(history)
    smooth, noise = loss.scaled(floor).smoothed
    peak = int(smooth.values.argmax())
    rise = float(smooth.values[peak] - np.arcsinh(start / (2 * floor)))
    end = loss.last(0.2).level
    least = _OVERSHOOT if end > _POOR * start else _FAR_OVERSHOOT
    if rise < math.log(least) + _NOISES * noise:
        return None
    step = int(smooth.steps[peak])
    top = 2 * floor * math.sinh(float(smooth.values[peak]))
    return (
        f"The loss jumped from {number(start)} to {number(top)} around {history.place(step)}, and "
        f"is {number(end)} at the end.",
        (step,),
    )


def _relapse(history: History, loss: Series) -> tuple[str, tuple[int, ...]] | None:
    """Find a loss that has lost again what it had gained."""
    start, floor = history.first_loss, _floor(history)
    smooth, noise = loss.scaled(floor).smoothed
    best = int(smooth.values.argmin())
    low = 2 * floor * math.sinh(float(smooth.values[best]))
    end = loss.last(0.2).level
    if low > _GAINED * start or end < _LOST * start:
        return None
    if np.arcsinh(end / (2 * floor)) - smooth.values[best] < _NOISES * noise:
        return None
    step = int(smooth.steps[best])
    return (
        f"The loss had fallen from {number(start)} to {number(low)} around {history.place(step)}, "
        f"but has lost that again: it is {number(end)} at the end.",
        (step,),
    )


def _jumps(history: History, loss: Series) -> tuple[str, tuple[int, ...]] | None:
    """Find a loss that leaps up again and again."""
    smooth, noise = loss.scaled(_floor(history)).smoothed
    least = math.log(_JUMP) + _NOISES * noise
    steps, sizes = [], []
    low = high = float("inf")
    for step, value in zip(smooth.steps.tolist(), smooth.values.tolist(), strict=True):
        if value - low >= least:
            steps.append(step)
            sizes.append(math.exp(value - low))
            low, high = math.inf, value
        elif math.isinf(low):
            # on top of a jump: the next one begins where this one has come down
            high = max(high, value)
            low = value if high - value >= least / 2 else low
        else:
            low = min(low, value)
        if math.isinf(low) and not steps:
            low = value
    if len(steps) < _FEWEST_JUMPS:
        return None
    return (
        f"The loss leapt up {len(steps)} times to at least {number(min(sizes))} times what it was, "
        f"at first around {history.place(steps[0])}, last around {history.place(steps[-1])}.",
        tuple(steps),
    )


def _swings(history: History, loss: Series) -> tuple[str, tuple[int, ...]] | None:
    """Find a loss that goes up in one step and down in the next."""
    late = loss.last(0.5)
    changes = np.diff(late.values)
    turns = float(np.mean(changes[1:] * changes[:-1] < 0))
    swing = float(np.median(np.abs(changes)))
    if turns < _TURNS or swing < _SWING * abs(late.level) or swing < _FLOOR * history.first_loss:
        return None
    step = int(late.steps[0])
    return (
        f"Since {history.place(step)} the loss has gone up and down in turns, by "
        f"{number(swing)} around {number(late.level)}.",
        (step,),
    )
