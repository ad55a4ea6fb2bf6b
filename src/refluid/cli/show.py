"""`refluid show`: its options, and which runs are meant.

What loads NumPy is imported when the command runs, so that `--help` is fast.
May import: errors, observe, cli.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from refluid.errors import RunError

__all__ = ["show"]


def show(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN",
            help="The folder of a run; or several, or a folder with runs below it.",
            show_default=False,
        ),
    ],
) -> None:
    """Show how far a run is: its state, last metrics, loss, checkpoints, starts.

    Of several runs there is a table, with a line for each. A run may be looked at while it trains;
    nothing of it is changed or held up.

    - `refluid show runs/digits`

    - `refluid show runs`
    """
    # these load NumPy
    from refluid.cli.run_table import show_table
    from refluid.cli.run_text import show_run
    from refluid.observe.run.summary import is_run, summarize

    if len(paths) == 1 and is_run(paths[0]):
        show_run(summarize(paths[0]))
        return
    found = {run.resolve(): run for path in paths for run in _runs_below(path)}
    if not found:
        raise RunError(
            f"there is no run in {', '.join(map(str, paths))}: no folder in it has a run.sqlite."
        )
    show_table(list(found.values()))


def _runs_below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        raise RunError(f"{path} is no folder: name that of a run, or one with runs below it.")
    for folder, folders, files in os.walk(path):
        folders.sort()
        if "run.sqlite" in files:
            folders.clear()
            yield Path(folder)
