"""`refluid report`: its options, and the page that it writes.

May import: checkpoint, errors, observe.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from refluid.errors import RunError

__all__ = ["report"]


def report(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The run's folder.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The page to write. Without it: report.html in the run's folder.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a run's report: one page that can be sent to anybody.

    What was trained and what came of it: curves, results in training, validation and test, the
    confusion matrix, the worst mistakes, the layers, a diagnosis, settings and environment, and how
    often it was interrupted. What is in the page depends on what the program has logged and
    recorded; `refluid train` does all of it.

    The page is one file, and loads nothing from anywhere. A run that is still training can be
    reported on at any time; the page then shows how far it is.

    - `refluid report runs/digits`

    - `refluid report runs/digits --out digits.html`
    """
    # these load NumPy, which `--help` need not wait for
    from refluid.checkpoint.atomic import replacing
    from refluid.observe.report.page import render

    target = run / "report.html" if out is None else out
    page = render(run)
    try:
        with replacing(target) as file:
            file.write(page.encode("utf-8"))
    except OSError as error:
        raise RunError(
            f"{target} cannot be written ({error.strerror or error}): name another file with "
            "`--out`."
        ) from None
    typer.echo(str(target))
