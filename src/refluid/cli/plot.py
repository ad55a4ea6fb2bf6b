"""`refluid plot`: its options, and where the picture is.

What loads NumPy and Matplotlib is imported when the command runs, so that `--help` is fast.
May import: observe.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["plot"]

_NAME = "curves.png"


def plot(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="The folders of the runs.", show_default=False),
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A metric that gets a panel; may be given several times. Without it: loss and "
            "accuracy.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"The picture: .png, .svg or .pdf. Without it: {_NAME} in the run's folder, or "
            "here if there are several runs.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Draw the curves of one or several runs into a picture.

    Each metric has a panel, which it shares with that of the validation. Every step is drawn thin,
    and over it the mean of the steps around. A triangle marks where a run was resumed, a cross
    where a value was not finite. A run may be drawn while it trains.

    - `refluid plot runs/digits`

    - `refluid plot runs/adam runs/momentum --out compared.png`

    - `refluid plot runs/* --metric valid_accuracy --metric lr`
    """
    # these load NumPy
    from refluid.observe.curves.chart import draw_runs

    path = out or (runs[0] / _NAME if len({run.resolve() for run in runs}) == 1 else Path(_NAME))
    drawn = draw_runs(path, runs, metric or ())
    typer.echo(f"{path}: {', '.join(drawn)}")
