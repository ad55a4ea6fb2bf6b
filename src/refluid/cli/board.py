"""`refluid board`: its options.

What loads a board is imported when the command runs, so that `--help` does not wait for it.
May import: observe, visualdl.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["board"]


def board(
    logdir: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="A run's folder, or one with runs anywhere below it."),
    ] = Path("runs"),
    port: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=65535,
            help="Where it listens, on this machine only; 0 takes a port that is free.",
        ),
    ] = 8080,
    visualdl: Annotated[
        bool,
        typer.Option(
            "--visualdl", help="Show what VisualDL's LogWriter wrote below FOLDER, in VisualDL."
        ),
    ] = False,
) -> None:
    """Show runs in the browser, with TensorBoard, while they train.

    Metrics, pictures, histograms, texts and tables, settings and embeddings are read from the
    runs' journals as they are at that moment: a new point is there within seconds, and a run that
    was stopped and went on has one curve. Nothing is written, and nothing is fetched from or sent
    to anywhere else.

    - `refluid board`

    - `refluid board --logdir runs/digits --port 0`

    - `ssh -L 8080:127.0.0.1:8080 server`, for a board on another machine

    - `refluid board --visualdl --logdir ./log`
    """
    if visualdl:
        # an extra, and slow to load
        from refluid.visualdl.viewer import serve_visualdl

        serve_visualdl(logdir, port)
        return
    # the same
    from refluid.observe.board.server import serve_board

    serve_board(logdir, port)
