"""All of a journal that a diagnosis looks at, read in one pass.

May import: errors, numpy, observe.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from refluid.observe.diagnosis.series import Series
from refluid.observe.journal.format import Event, Start
from refluid.observe.journal.reader import JournalReader
from refluid.observe.record import Confusion, Table

__all__ = ["GRAD_NORM", "Curves", "History"]

GRAD_NORM = "grad_norm/"
_NAMES = frozenset(
    "loss accuracy valid_loss valid_accuracy lr grad_norm param_norm update_ratio".split()
)
_PREFIXES = (GRAD_NORM, "dead/", "zeros/")
Curves = Mapping[str, tuple[np.ndarray, np.ndarray]]
_NOTHING = Series(np.zeros(0, np.int64), np.zeros(0, np.float64))


@dataclass(frozen=True, kw_only=True)
class History:
    """What a run has logged.

    Args:
        series: metrics by name.
        starts: of its program.
        events: in their order.
        confusion: the last one.
        class_counts: how many training samples each class has.
        layers: the model's layers.
    """

    series: Mapping[str, Series]
    starts: list[Start] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    confusion: Confusion | None = None
    class_counts: Table | None = None
    layers: Table | None = None

    @classmethod
    def read(cls, journal: JournalReader, curves: Curves | None = None) -> History:
        """Read a journal that is open.

        Args:
            journal: of the run.
            curves: all metrics by name, if they have been read.

        Raises:
            RunError: it cannot be read.
        """
        confusion = journal.latest(Confusion, "confusion")
        class_counts = journal.latest(Table, "class_counts")
        layers = journal.latest(Table, "layers")
        return cls(
            series=_read_series(journal) if curves is None else _wanted(curves),
            starts=journal.starts(),
            events=journal.events(),
            confusion=confusion and confusion[1],
            class_counts=class_counts and class_counts[1],
            layers=layers and layers[1],
        )

    def all(self, name: str) -> Series:
        """Return every value of a metric; none if it was not logged."""
        return self.series.get(name, _NOTHING)

    def curve(self, name: str) -> Series:
        """Return the finite values of a metric, condensed."""
        return self._curves[name] if name in self._curves else _NOTHING

    def below(self, prefix: str) -> Iterator[tuple[str, Series]]:
        """Iterate over what stands behind a prefix and the curve, in the order of the layers."""
        found = [name.removeprefix(prefix) for name in self._curves if name.startswith(prefix)]
        for name in sorted(found, key=self._rank):
            if len(self._curves[prefix + name]):
                yield name, self._curves[prefix + name]

    @cached_property
    def first_loss(self) -> float:
        """The level of the loss in the first steps; nothing has been condensed here."""
        return self.all("loss").finite.start

    @cached_property
    def whole_until(self) -> int:
        """The last step before the loss was no longer finite: what follows means nothing."""
        loss = self.all("loss")
        broken = loss.steps[~np.isfinite(loss.values)]
        return int(broken[0]) - 1 if len(broken) else np.iinfo(np.int64).max

    @cached_property
    def progress(self) -> float:
        """Which share of the planned steps are made; 1 if nothing is known of a plan."""
        num_steps = 1 + max((int(each.steps[-1]) for each in self.series.values()), default=-1)
        epochs, per_epoch = self._plan
        return min(1.0, num_steps / (epochs * per_epoch)) if epochs and per_epoch else 1.0

    def place(self, step: int) -> str:
        """Return a step in words, with its epoch where that is known."""
        _, per_epoch = self._plan
        epoch = f" (epoch {step // per_epoch + 1:,})" if per_epoch else ""
        return f"step {step:,}{epoch}"

    @cached_property
    def _plan(self) -> tuple[int, int]:
        """Epochs and steps in each, 0 where that is not known."""
        texts = [event.text for event in self.events if event.kind == "planned"]
        # of a program with several loops, no step tells its epoch
        plans = [_plan(text) for text in texts]
        if len({per_epoch for _, per_epoch in plans}) != 1:
            return 0, 0
        return plans[-1]

    @cached_property
    def _curves(self) -> dict[str, Series]:
        curves = {name: series.finite.condensed for name, series in self.series.items()}
        for name in ("accuracy", "valid_accuracy"):
            if name in curves and len(curves[name]) and curves[name].values.max() > 1.5:
                # logged in percent
                curves[name] = Series(curves[name].steps, curves[name].values / 100)
        return curves

    @cached_property
    def _places(self) -> dict[str, int]:
        if self.layers is None:
            return {}
        return {str(row[0]): k for k, row in enumerate(self.layers.rows) if row}

    def _rank(self, name: str) -> tuple[int, list[str | int]]:
        """Return what sorts names by the table of layers, and by the numbers in them."""
        # texts and digits take turns
        parts = [int(p) if k % 2 else p for k, p in enumerate(re.split(r"(\d+)", name))]
        layer = name if name in self._places else name.rpartition(".")[0]
        return self._places.get(layer, len(self._places)), parts


def _wanted(curves: Curves) -> dict[str, Series]:
    return {name: Series(*curve) for name, curve in curves.items() if _is_wanted(name)}


def _is_wanted(name: str) -> bool:
    return name in _NAMES or name.startswith(_PREFIXES)


def _read_series(journal: JournalReader) -> dict[str, Series]:
    # boxed numbers of a long run would take ten times the memory
    read: dict[str, tuple[array[int], array[float]] | None] = {}
    for step, name, value in journal.metrics():
        try:
            columns = read[name]
        except KeyError:
            columns = read[name] = (array("q"), array("d")) if _is_wanted(name) else None
        if columns is not None:
            columns[0].append(step)
            columns[1].append(value)
    return {
        name: Series(np.frombuffer(columns[0], np.int64), np.frombuffer(columns[1], np.float64))
        for name, columns in read.items()
        if columns is not None
    }


def _plan(text: str) -> tuple[int, int]:
    try:
        plan = json.loads(text)
        return int(plan["epochs"] or 0), int(plan["steps_per_epoch"] or 0)
    except (ValueError, TypeError, KeyError, RecursionError):
        # a text for people, which somebody may have written otherwise
        return 0, 0
