"""The curves of `refluid train`, drawn from its journal, which has every step of every process.

May import: observe, train.
"""

from __future__ import annotations

from pathlib import Path

from refluid.observe.curves.chart import draw_runs
from refluid.observe.curves.curve import can_draw
from refluid.observe.run.summary import open_journal
from refluid.train.program import Outcome

__all__ = ["draw_run"]


def draw_run(outcome: Outcome, name: str) -> Path | None:
    """Draw loss and accuracy over the epochs.

    Args:
        outcome: of the run.
        name: of the data.

    Returns:
        The picture, `curves.png` in the run's directory; None where matplotlib is not installed, or
        a complete run has lost its journal.

    Raises:
        RefluidError: the journal cannot be read, or the picture not be written.
    """
    if not can_draw():
        return None
    with open_journal(outcome.directory) as journal:
        if journal.last_step() is None:
            return None
    path = outcome.directory / "curves.png"
    test = outcome.test
    title = name if test is None else f"{name}: test accuracy {100 * test.accuracy:.2f}%"
    draw_runs(path, [outcome.directory], title=title)
    return path
