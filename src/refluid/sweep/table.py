"""The trials of a sweep as a table: the best first, then those that failed.

May import: checkpoint, errors, sweep.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from refluid.checkpoint.atomic import replacing
from refluid.errors import RefluidError
from refluid.sweep.ledger import COMPLETE, Plan, Trial

__all__ = ["in_order", "write_table"]


def in_order(plan: Plan, trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials that are complete, the best first, and the others after them."""
    return plan.ranked(trials) + [trial for trial in trials if trial.state != COMPLETE]


def write_table(path: Path, plan: Plan, trials: Sequence[Trial]) -> None:
    """Write trials as comma-separated values, every digit of them.

    Args:
        path: of the file, which is replaced.
        plan: of the sweep.
        trials: in any order.

    Raises:
        RefluidError: the file cannot be written.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_rows(plan, trials))
    try:
        with replacing(path) as file:
            file.write(text.getvalue().encode())
    except OSError as error:
        raise RefluidError(f"{path} cannot be written: {error.strerror or error}.") from None


def _rows(plan: Plan, trials: Sequence[Trial]) -> Iterator[list[str | int | float | None]]:
    names = [parameter.name for parameter in plan.parameters]
    yield ["trial", *names, plan.metric, "steps", "state"]
    for trial in in_order(plan, trials):
        values = [trial.values[name] for name in names]
        yield [trial.number, *values, trial.value, trial.num_steps, trial.state]
