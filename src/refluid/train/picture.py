"""The curves of a run, drawn from its journal, which has every step whatever came between.

Arrays are [N] with N steps, or groups of steps.
May import: numpy, observe, train.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refluid.observe.curve import Curve, Panel, can_draw, draw_panels
from refluid.observe.journal_reader import JournalReader
from refluid.train.program import Outcome

__all__ = ["draw_run"]

_MAX_POINTS = 150


def draw_run(outcome: Outcome, name: str) -> Path | None:
    """Draw loss and accuracy over the epochs.

    Args:
        outcome: of the run.
        name: of the data.

    Returns:
        The picture, `curves.png` in the run's directory; None where matplotlib is not installed.

    Raises:
        RefluidError: the journal cannot be read, or the picture not be written.
    """
    if not can_draw():
        return None
    with JournalReader(outcome.directory / "run.sqlite") as journal:
        panels = _panels(journal, outcome.steps_per_epoch)
    path = outcome.directory / "curves.png"
    draw_panels(path, f"{name}: test accuracy {100 * outcome.test.accuracy:.2f}%", panels)
    return path


def _panels(journal: JournalReader, steps_per_epoch: int) -> list[Panel]:
    def curves(quantity: str) -> list[Curve]:
        steps, values = journal.curve(quantity)
        _, epochs = np.unique(steps // steps_per_epoch, return_index=True)
        # single steps differ too much to be looked at
        groups = np.arange(0, len(steps), -(-len(steps) // _MAX_POINTS) or 1)
        middles = (steps + 0.5) / steps_per_epoch
        valid_steps, valid_values = journal.curve(f"valid_{quantity}")
        return [
            Curve(
                label="training",
                x=_means(middles, epochs),
                y=_means(values, epochs),
                x_noise=_means(middles, groups),
                y_noise=_means(values, groups),
            ),
            Curve(
                label="validation",
                x=((valid_steps + 1) / steps_per_epoch).tolist(),
                y=valid_values.tolist(),
            ),
        ]

    return [
        Panel(title="loss (cross-entropy)", curves=curves("loss"), logarithmic=True),
        Panel(title="accuracy", curves=curves("accuracy"), percent=True),
    ]


def _means(values: NDArray[np.float64], starts: NDArray[np.int64]) -> list[float]:
    """Return the mean of each group of `values`; the groups begin at `starts`."""
    return (np.add.reduceat(values, starts) / np.diff(starts, append=len(values))).tolist()
