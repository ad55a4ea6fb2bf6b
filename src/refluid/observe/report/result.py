"""What a run came to: in one sentence, in a few figures, and as a table of the parts of the data.

May import: numpy, observe.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refluid.observe.report.course import is_exact, trained_s
from refluid.observe.report.markup import Html, element
from refluid.observe.report.material import Material, is_share
from refluid.observe.report.number import count, duration, number, percent
from refluid.observe.report.table import draw_table
from refluid.observe.run.summary import Point

__all__ = ["draw_figures", "draw_results", "sentence"]

_FEW = 50  # steps whose mean stands for the training where it is not known what an epoch is
_EPOCH = "mean of the last epoch"


def sentence(material: Material) -> str:
    """Return what a run came to, in one sentence or two."""
    return f"{_outcome(material)} {_state(material)}".strip()


def draw_figures(material: Material) -> Html:
    """Return the few figures that one looks for first."""
    tiles = [
        element(
            "div",
            element("dt", label),
            element("dd", value, element("small", note) if note else None),
        )
        for label, value, note in _figures(material)
    ]
    return element("dl", *tiles, class_="figures")


def draw_results(material: Material) -> Html | None:
    """Return training, validation and test in a table, or None if there is none of them."""
    curves = material.curves
    names = _quantities(material)
    rows = []
    for part, label in (("", "training"), ("valid_", "validation"), ("test_", "test")):
        found = [name for name in names if part + name in curves]
        if not found:
            continue
        if part == "":
            means = {name: _late_mean(material, name) for name in found}
            rows.append((f"{label}, {_late(material)}", *_cells(material, means, names)))
            continue
        last = {name: float(curves[part + name][1][-1]) for name in found}
        best = {name: material.summary.best.get(part + name) for name in found}
        rows.append(
            (f"{label}, last" if any(best.values()) else label, *_cells(material, last, names))
        )
        if any(best.values()):
            cells = [_best_cell(material, name, best.get(name)) for name in names]
            rows.append((f"{label}, best", *cells))
    if not rows:
        return None
    caption = "Training, validation and test"
    return draw_table(caption, (None, *names), rows, numeric=[False, *(True for _ in names)])


def _quantities(material: Material) -> list[str]:
    found = {"loss": 0, "accuracy": 1}
    for name in material.curves:
        for part in ("valid_", "test_"):
            if name.startswith(part):
                found.setdefault(name.removeprefix(part), 2)
    parts = ("", "valid_", "test_")
    return [name for name in found if any(part + name in material.curves for part in parts)]


def _cells(material: Material, values: dict[str, float], names: list[str]) -> Iterator[str | None]:
    for name in names:
        yield _shown(material, name, values[name]) if name in values else None


def _best_cell(material: Material, name: str, point: Point | None) -> Html | None:
    if point is None:
        return None
    where = element("small", f"step {point.step:,}")
    return element("span", _shown(material, name, point.value), where)


def _shown(material: Material, name: str, value: float) -> str:
    values = [
        material.curves[part + name][1]
        for part in ("", "valid_", "test_")
        if part + name in material.curves
    ]
    share = bool(values) and is_share(name, np.concatenate(values))
    return percent(value) if share else number(value)


def _late(material: Material) -> str:
    planned = material.summary.planned
    per_epoch = planned.steps_per_epoch if planned else None
    return _EPOCH if per_epoch else f"mean of the last {_FEW} steps"


def _late_mean(material: Material, name: str) -> float:
    """Return the mean over the last whole epoch; single steps differ too much."""
    steps, values = material.curves[name]
    planned = material.summary.planned
    size = (planned.steps_per_epoch if planned else None) or _FEW
    return float(values[steps > steps[-1] - size].mean())


def _outcome(material: Material) -> str:
    test, best = material.last("test_accuracy"), material.summary.best
    if test is not None:
        against = best.get("valid_accuracy")
        beside = (
            f" and at best {_shown(material, 'accuracy', against.value)} in validation"
            if against
            else ""
        )
        return f"Accuracy is {_shown(material, 'accuracy', test)} on the test data{beside}."
    if "valid_accuracy" in best:
        point = best["valid_accuracy"]
        share = _shown(material, "accuracy", point.value)
        return f"Accuracy is at best {share} on the validation data, at step {point.step:,}."
    for name in ("test_loss", "valid_loss", "loss"):
        if name in material.curves:
            values = material.curves[name][1]
            first, last = number(float(values[0])), number(float(values[-1]))
            told = f"from {first} to {last}" if len(values) > 1 else f"{last}"
            kind = {"test_loss": "test loss", "valid_loss": "validation loss"}.get(
                name, "training loss"
            )
            return f"The {kind} went {told}." if len(values) > 1 else f"The {kind} is {told}."
    return "No loss and no accuracy were logged."


def _state(material: Material) -> str:
    summary = material.summary
    done = f"{count(summary.step, 'step')}"
    steps = summary.planned_steps
    of_all = f" of {steps:,}" if steps and steps > summary.step else ""
    state = summary.state
    if state == "running":
        return f"It is still training: {summary.step:,}{of_all} steps are done."
    if state == "complete":
        return f"The run is complete, with {done}{_epochs(material)}."
    if state == "killed":
        return f"It was killed after {summary.step:,}{of_all} steps, and can go on."
    if state.startswith("stopped"):
        return f"It was stopped after {summary.step:,}{of_all} steps, and can go on."
    if state == "failed":
        why = summary.attempts[-1].why[:200] if summary.attempts else ""
        return f"It failed after {done}" + (f": {why}" if why else ".")
    if state == "not begun":
        return "It has not begun."
    return f"It ended after {done}{_epochs(material)}."


def _epochs(material: Material) -> str:
    epochs = material.summary.epochs
    return f" in {count(round(epochs), 'epoch')}" if epochs and epochs == round(epochs) else ""


def _figures(material: Material) -> Iterator[tuple[str, str, str | None]]:
    summary = material.summary
    for name in ("accuracy", "loss"):
        test, best = material.last(f"test_{name}"), summary.best.get(f"valid_{name}")
        last = material.last(name)
        if test is not None:
            yield f"test {name}", _shown(material, name, test), None
        if best is not None:
            yield (
                f"best validation {name}",
                _shown(material, name, best.value),
                f"step {best.step:,}",
            )
        elif test is None and last is not None:
            yield f"training {name}", _shown(material, name, _late_mean(material, name)), None
        if test is not None or best is not None:
            break
    if summary.step:
        yield "steps", f"{summary.step:,}", _epochs(material).removeprefix(" in ") or None
    if summary.attempts:
        yield "time", duration(trained_s(summary)), None
        times = len(summary.resume_steps)
        exact = "went on exactly" if is_exact(material) else "may not be exact"
        yield "interrupted", count(times, "time"), exact if times else "ran in one piece"
