"""Several runs in the terminal: a table with a line for each.

Columns are as wide as their longest text, and a number is never cut.
May import: rich, errors, observe, cli.run_text.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from refluid.cli.run_text import style_of, value_text
from refluid.errors import RunError
from refluid.observe.printable import printable
from refluid.observe.run.summary import Summary, summarize

__all__ = ["show_table"]

_METRICS = ("loss", "accuracy", "valid_loss", "valid_accuracy", "test_loss", "test_accuracy")


def show_table(directories: Sequence[Path]) -> None:
    """Show runs; one that cannot be read is in the table with the reason."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    summaries = [_summary(directory) for directory in directories]
    good = [summary for summary in summaries if isinstance(summary, Summary)]
    metrics = [name for name in _METRICS if any(name in summary.last for summary in good)]
    head = ["run", "state", "steps", "done", *metrics, "starts", "kills"]
    rows = [
        [printable(str(directory), console.encoding), *_cells(summary, metrics)]
        for directory, summary in zip(directories, summaries, strict=True)
    ]
    # what stands in place of a row from its second cell on has no column
    aligned = [row if len(row) == len(head) else row[:1] for row in [head, *rows]]
    columns = itertools.zip_longest(*aligned, fillvalue="")
    widths = [max(cell_len(cell) for cell in column) for column in columns]
    for row in [head, *rows]:
        text = Text(style="dim" if row is head else "")
        for k, (cell, width) in enumerate(zip(row, widths, strict=False)):
            style = style_of(cell) if k == 1 and row is not head else ""
            space = " " * (width - cell_len(cell))
            text.append(f"{cell}{space}  " if k < 2 else f"{space}{cell}  ", style=style)
        text.rstrip()
        console.print(text)


def _summary(directory: Path) -> Summary | RunError:
    try:
        return summarize(directory)
    except RunError as error:
        return error


def _cells(summary: Summary | RunError, metrics: Sequence[str]) -> list[str]:
    if isinstance(summary, RunError):
        return [printable(str(summary))]
    progress = "" if summary.progress is None else f"{int(100 * summary.progress)}%"
    points = [(name, summary.last.get(name)) for name in metrics]
    return [
        printable(summary.state),
        f"{summary.step:,}",
        progress,
        *("" if point is None else value_text(name, point.value) for name, point in points),
        str(len(summary.attempts)),
        str(summary.num_kills),
    ]
