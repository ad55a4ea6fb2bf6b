"""The facts about one layer that ran, and tables of them. May import: torch, observe."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refluid.observe.layers.activation import DeadUnits
from refluid.observe.layers.content import Content
from refluid.observe.layers.setting import settings_text
from refluid.observe.record import Cell, Table

__all__ = ["Activated", "LayerFacts", "describe", "table_of"]

Shape = tuple[int, ...]

_SHAPES = ("layer", "type", "settings", "parameters", "input", "output")
_NUMBERS = ("mean", "std", "min", "max", "zeros", "non-finite")
_GAP = "  "


@dataclass(frozen=True)
class Activated:
    """What the activation that was applied to a layer's output gave.

    Args:
        function: its name, such as `relu`.
        zeros: the share of values that were 0.
        dead: the units that were always 0; there may be none.
    """

    function: str
    zeros: float
    dead: DeadUnits

    def __str__(self) -> str:
        dead = f", {len(self.dead.units)} of {self.dead.num_units} dead" if self.dead.units else ""
        return f"{self.function}: {self.zeros:.1%} zeros{dead}"


@dataclass(frozen=True, kw_only=True)
class LayerFacts:
    """What is known of a layer that ran.

    Args:
        name: its path in the model, such as `features.0`.
        type: its class.
        settings: its hyperparameters by name.
        parameters: shapes of its own parameters by name.
        num_parameters: how many numbers these are.
        num_calls: how often it ran to its end; 0 if it raised an error.
        inputs: shapes of the tensors that the last call was given.
        outputs: shapes of the tensors that it returned last.
        content: of the first of them, over all calls; None if its values cannot be read.
        activation: the activation applied to its output, if one that can leave units at 0 was.
    """

    name: str
    type: str
    settings: Mapping[str, Any]
    parameters: Mapping[str, Shape]
    num_parameters: int
    num_calls: int
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    content: Content | None
    activation: Activated | None

    @property
    def zeros(self) -> float | None:
        """The share of zeros in its output, after the activation if there is one."""
        if self.activation is not None:
            return self.activation.zeros
        return None if self.content is None else self.content.zeros


def table_of(layers: Iterable[LayerFacts]) -> Table:
    """Return a table with one row for each layer, its numbers as numbers."""
    columns = (*_SHAPES, *_NUMBERS, "activation")
    return Table(columns, tuple((*_shape_cells(each), *_number_cells(each)) for each in layers))


def describe(layers: Sequence[LayerFacts]) -> str:
    """Return two tables as text: what the layers are, and what came out of them."""
    if not layers:
        return "No layer ran: call the model inside the `with` block."
    total = sum(each.num_parameters for each in layers)
    shapes = _text(_SHAPES, [_shape_cells(each) for each in layers])
    numbers = _text(
        ("layer", *_NUMBERS, "activation"),
        [(each.name, *map(_number, _number_cells(each))) for each in layers],
    )
    return f"{shapes}\n{total:,} parameters\n\n{numbers}"


def _shape_cells(layer: LayerFacts) -> tuple[Cell, ...]:
    shapes = " ".join(f"{name} {list(shape)}" for name, shape in layer.parameters.items())
    return (
        layer.name,
        layer.type,
        settings_text(layer.settings),
        shapes,
        " ".join(str(list(shape)) for shape in layer.inputs),
        " ".join(str(list(shape)) for shape in layer.outputs) if layer.num_calls else "(raised)",
    )


def _number_cells(layer: LayerFacts) -> tuple[Cell, ...]:
    found = layer.content
    after = "" if layer.activation is None else str(layer.activation)
    if found is None or not found.num_values:
        return (*[None] * len(_NUMBERS), after)
    return (
        found.mean, found.std, found.minimum, found.maximum, found.zeros, found.num_nonfinite,
        after,
    )  # fmt: skip


def _number(cell: Cell) -> str:
    if cell is None:
        return "-"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _text(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    lines = [[str(cell) for cell in row] for row in [columns, *rows]]
    widths = [max(map(_width, cells)) for cells in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        _GAP.join(
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)
