"""The command `refluid`: one file for each of its commands.

An error of refluid's is one line on standard error and exit status 2, as is a mistake in the
options; an interrupted command exits with 130.
May import: everything; torch and what needs it only when a command runs, so that `--help` is fast.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from refluid import __version__
from refluid.cli.board import board
from refluid.cli.diagnose import diagnose
from refluid.cli.launch import launch
from refluid.cli.plot import plot
from refluid.cli.report import report
from refluid.cli.show import show
from refluid.cli.sweep import sweep
from refluid.cli.train import train
from refluid.cli.verify import verify
from refluid.errors import RefluidError

__all__ = ["app", "main"]

_USER_ERROR = 2

app = typer.Typer(
    name="refluid",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (train, show, diagnose, plot, board, report):
    app.command()(command)
# the first word that is no option begins another command, with options of its own
for command in (sweep, launch, verify):
    app.command(context_settings={"allow_interspersed_args": False})(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"refluid {__version__}")
        raise typer.Exit


@app.callback()
def _describe(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            help="Print the version of refluid.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Train on PyTorch with programs written for PaddlePaddle 1.8, and stop and resume anywhere.

    A program of your own runs unmodified: `python -m refluid program.py`

    One that uses `refluid.Run` goes on where it was killed: `refluid verify -- python program.py`

    Look at its run: `refluid show runs`, `refluid board`, `refluid report runs/digits`
    """


def main() -> None:
    """Run the command that `sys.argv` names, and exit."""
    try:
        app(prog_name="refluid")
    except RefluidError as error:
        typer.echo(f"refluid: {error}", err=True)
        sys.exit(_USER_ERROR)
