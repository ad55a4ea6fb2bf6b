"""`refluid sweep`: its options, and what it shows of the trials.

What loads NumPy, torch, Optuna or matplotlib is imported when the command runs, so that `--help`
does not wait for it.
May import: sweep.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["sweep"]

_INTERRUPTED = 130
_PICTURE = "sweep.png"


def sweep(
    tried: Annotated[
        list[str],
        typer.Option(
            "--try",
            metavar="NAME=VALUES",
            help="An option of the command and what to try for it. A range of numbers: "
            "lr=0.0001..0.1:log, momentum=0.5..0.99, batch-size=16..256 (whole numbers, as both "
            "ends are); :log where ratios count. Or a list: l2=0,0.0001,0.001. Give --try again "
            "for each option.",
            show_default=False,
        ),
    ],
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND]",
            help="The program and its arguments, without the options that are tried. Without it, "
            "or where it begins with an option: refluid train.",
            show_default=False,
        ),
    ] = None,
    trials: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="How many trials, those before a stop included."),
    ] = 20,
    metric: Annotated[
        str,
        typer.Option(metavar="NAME", help="The logged metric whose last value is to be high."),
    ] = "valid_accuracy",
    minimize: Annotated[
        bool, typer.Option("--minimize", help="It is to be low, as a loss is.")
    ] = False,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="The same seed proposes the same values.")
    ] = 1,
    out: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="The sweep's folder. A sweep that is there goes on."),
    ] = Path("runs/sweep"),
) -> None:
    """Find good values for a command's options, by validation.

    The command is run again and again, each time with other values: `--lr 0.003 --l2 0.0001` is
    added to it, and its run goes into a folder of its own. Optuna proposes the values, and learns
    from each trial where good ones lie. A trial is judged by the last value of a metric in its
    journal. What comes out is a table, `sweep.csv`, and a picture, `sweep.png`.

    It can be stopped at any time, by Ctrl-C or in any other way. The same command, started again,
    goes on in the middle of the trial, and comes to the same table. With more `--trials` it adds
    some to a sweep that is complete.

    The test is not for choosing: `refluid train` runs without it, and only the winner is tested,
    once, at the end. With a program of your own nothing is done about a test: let it test in a
    program apart, or by an option.

    - `refluid sweep --try l2=0,0.0001,0.001 --try lr=0.0005..0.05:log`

    - `refluid sweep --try lr=0.0001..0.1:log --trials 12 -- refluid train --epochs 5`

    - `refluid sweep --try dropout=0.0..0.5 --metric valid_loss --minimize -- python train.py`
    """
    if metric.startswith("test"):
        raise typer.BadParameter(
            f"`--metric` {metric}: what is chosen by a test cannot be tested by it any more; "
            "choose a metric of the validation."
        )
    # these load numpy
    from refluid.sweep.command import read_command
    from refluid.sweep.ledger import Plan
    from refluid.sweep.proposal import check_optuna
    from refluid.sweep.space import read_parameters

    try:
        parameters = read_parameters(tried)
        plan = Plan(
            command=read_command(command or [], [each.name for each in parameters]),
            parameters=parameters,
            metric=metric,
            minimize=minimize,
            seed=seed,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    check_optuna()
    # and these torch
    from refluid.sweep.picture import draw_sweep
    from refluid.sweep.screen import Screen
    from refluid.sweep.sweep import Sweep

    screen = Screen(plan, trials, out)
    try:
        with screen.shown():
            result = Sweep(plan, trials, out, screen).run()
    except KeyboardInterrupt:
        typer.echo("Stopped at once; the same command goes on with the trial.", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    picture = out / _PICTURE
    screen.conclude(result, picture if draw_sweep(picture, plan, result.trials) else None)
