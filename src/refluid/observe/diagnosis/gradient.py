"""Do gradients arrive, everywhere and at a bearable size?

May import: numpy, observe.diagnosis.
"""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from refluid.observe.diagnosis.finding import Finding, Missing, Severity
from refluid.observe.diagnosis.history import GRAD_NORM, History
from refluid.observe.diagnosis.series import Series
from refluid.observe.diagnosis.wording import listed, number, times

__all__ = ["WATCH", "exploding_gradients", "vanishing_gradients"]

WATCH = "run.watch(model, optimizer)"

# a gradient this many times above what it was in the first steps
_BURST = 30.0
_FEWEST_BURSTS = 3
# gradient x parameters / loss: by how many losses a step of the parameters' own size would lead
_STEEP = 1000.0
_FADED = 1e-3
_FEWEST_LAYERS = 3


def exploding_gradients(history: History, found: Set[str]) -> Finding | Missing | None:
    """Find gradients that are not finite, burst out, grow, or are far too steep."""
    norms = history.all("grad_norm")
    if not len(norms):
        return Missing("no `grad_norm` was logged", WATCH)
    seen = _broken(history, norms) or _bursting(history, norms.finite) or _steep(history)
    if seen is None:
        return None
    evidence, step = seen
    return Finding(
        kind="exploding_gradients",
        title="Gradients explode",
        evidence=evidence,
        advice=(
            "Clip them (`torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)` before the "
            "optimizer's step; in fluid `grad_clip=fluid.clip.GradientClipByGlobalNorm(1.0)`), "
            "take a smaller learning rate and smaller initial weights (Xavier, Kaiming), or layers "
            "that keep the scale: batch or layer normalization, in recurrent networks LSTM or GRU."
        ),
        severity=Severity.SERIOUS,
        steps=(step,),
    )


def _broken(history: History, norms: Series) -> tuple[str, int] | None:
    broken = np.flatnonzero(~np.isfinite(norms.values))
    if not len(broken):
        return None
    first = int(broken[0])
    step = int(norms.steps[first])
    # of a loss that is no number, no gradient is: then the loss is what there is to look at
    if step > history.whole_until:
        return None
    before = norms[:first]
    largest = f", after at most {number(before.values.max())}" if first else ""
    return f"The gradient is not finite from {history.place(step)} on{largest}.", step


def _bursting(history: History, norms: Series) -> tuple[str, int] | None:
    if len(norms) < 2:
        return None
    usual = float(np.quantile(norms.first(0.1).values, 0.9))
    bursts = np.flatnonzero(norms.values > _BURST * usual)
    if not usual or len(bursts) < min(_FEWEST_BURSTS, max(1, len(norms) // 4)):
        return None
    step = int(norms.steps[bursts[0]])
    largest = float(norms.values.max())
    return (
        f"The norm of the gradient was {number(usual)} in the beginning, but {number(largest)} at "
        f"its highest ({times(largest / usual)} as much); it was above {number(_BURST * usual)} "
        f"{len(bursts)} times, at first in {history.place(step)}."
    ), step


def _steep(history: History) -> tuple[str, int] | None:
    norms, sizes, loss = (history.curve(name) for name in ("grad_norm", "param_norm", "loss"))
    if not (len(norms) and len(sizes) and len(loss)):
        return None
    norm, size, cost = (each.first(0.1).level for each in (norms, sizes, loss))
    if norm * size <= _STEEP * abs(cost) or not cost:
        return None
    step = int(norms.steps[0])
    return (
        f"In the beginning the norm of the gradient was {number(norm)}, at parameters of norm "
        f"{number(size)} and a loss of {number(cost)}: a change of the parameters by a hundredth "
        f"would change the loss by {times(norm * size / abs(cost) / 100)} its value."
    ), step


def vanishing_gradients(history: History, found: Set[str]) -> Finding | Missing | None:
    """Find layers that hardly get any gradient, beside others that do."""
    levels = _levels(history)
    if not levels:
        return Missing("no `grad_norm/<parameter>` was logged", WATCH)
    if len(levels) < _FEWEST_LAYERS:
        return None
    largest = max(levels, key=lambda name: levels[name])
    # exactly nothing reaches layers that are dead or not used: that is another matter
    faded = [name for name, level in levels.items() if 0 < level < _FADED * levels[largest]]
    if not faded:
        return None
    least = min(faded, key=lambda name: levels[name])
    step = int(history.curve(GRAD_NORM + least).steps[0])
    return Finding(
        kind="vanishing_gradients",
        title="Gradients vanish",
        evidence=(
            f"The gradient of {len(faded)} of {len(levels)} weights ({listed(faded)}) is less than "
            f"a thousandth of that of {largest}: its norm is {number(levels[least])} at {least}, "
            f"but {number(levels[largest])} at {largest}."
        ),
        advice=(
            "These layers hardly learn. Take ReLU in place of sigmoid or tanh, initial weights "
            "made for the activation (Xavier, Kaiming), normalization between the layers, "
            "residual connections, or fewer layers; in recurrent networks LSTM or GRU."
        ),
        severity=Severity.SERIOUS,
        steps=(step,),
    )


def _levels(history: History) -> dict[str, float]:
    """Return the usual norm of each weight's gradient, in the order of the layers."""
    # biases have gradients of their own size, also where nothing comes through the weights
    return {name: curve.level for name, curve in history.below(GRAD_NORM) if not _is_bias(name)}


def _is_bias(name: str) -> bool:
    own = name.rpartition(".")[2]
    return "bias" in own or own.startswith("b_")
