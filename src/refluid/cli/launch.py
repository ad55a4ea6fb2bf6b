"""`refluid launch`: its options.

Nothing here loads torch: the processes that are started do, and should not wait for the launcher.
May import: checkpoint, distributed.
"""

from __future__ import annotations

import contextlib
import enum
import functools
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from refluid.distributed.launch import DEFAULT_TIMEOUT_S, Launch, run
from refluid.distributed.server import ServerPlan, Servers

__all__ = ["Mode", "launch"]


class Mode(str, enum.Enum):
    """How processes share what they learn."""

    collective = "collective"
    ps = "ps"


def launch(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="PROGRAM",
            help="A script and its arguments; after --, also -m and a module.",
            show_default=False,
        ),
    ],
    nproc: Annotated[
        int, typer.Option(metavar="N", min=1, help="How many processes on this machine.")
    ] = 1,
    nnodes: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="On how many machines the same is started."),
    ] = 1,
    node_rank: Annotated[
        int, typer.Option(metavar="K", min=0, help="Which of them this is, from 0.")
    ] = 0,
    master: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="An address of machine 0 and a port that is free there, the same on all machines.",
            show_default=False,
        ),
    ] = None,
    max_restarts: Annotated[
        int,
        typer.Option(
            metavar="R",
            min=0,
            help="How often all are started again when one has failed; what uses refluid.Run goes "
            "on from its last checkpoint.",
        ),
    ] = 0,
    log_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write each process's output into workerlog.N there, instead of here.",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="S", help="How many seconds processes wait for each other before they fail."
        ),
    ] = DEFAULT_TIMEOUT_S,
    mode: Annotated[
        Mode,
        typer.Option(help="How processes share what they learn: by collectives, or by servers."),
    ] = Mode.collective,
    servers: Annotated[
        int,
        typer.Option(metavar="S", min=1, help="With ps: over how many the model is split."),
    ] = 1,
    trainers: Annotated[
        int | None,
        typer.Option(
            metavar="T",
            min=1,
            help="With ps: what --nproc is otherwise.",
            show_default=False,
        ),
    ] = None,
    asynchronous: Annotated[
        bool,
        typer.Option("--async", help="With ps: update at each push, not when all have pushed."),
    ] = False,
    staleness: Annotated[
        int,
        typer.Option(
            metavar="K",
            min=0,
            help="With --async: how many steps one may be ahead of another.",
        ),
    ] = 4,
    ray_address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="With ps: a Ray cluster that is there; by default one is started.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start a program as several processes that train one model together.

    It is Paddle's `paddle.distributed.launch` by other names; a program for torch.distributed is
    started likewise. Each line of output has the process's rank before it. When one fails, the
    others are ended, and its error is shown last; the exit status is that of the process. Ctrl-C
    ends all.

    - `refluid launch --nproc 2 train.py --epochs 5`

    - `refluid launch --nproc 4 --max-restarts 3 --log-dir log train.py`

    - `refluid launch --nproc 4 --nnodes 2 --node-rank 1 --master 192.168.0.16:6170 train.py`
    """
    num_processes = nproc if trainers is None else trainers
    with contextlib.ExitStack() as stack:
        found = None
        if mode is Mode.ps:
            # it loads NumPy, which no other launch needs
            from refluid.checkpoint.server_store import open_store

            plan = ServerPlan(
                num_servers=servers,
                num_trainers=num_processes * nnodes,
                mode="async" if asynchronous else "sync",
                staleness=staleness,
                address=ray_address,
            )
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="refluid-"))
            found = Servers(plan, functools.partial(open_store, folder))
        status = run(
            Launch(
                command=command,
                num_processes=num_processes,
                num_nodes=nnodes,
                node_rank=node_rank,
                master=master,
                log_dir=log_dir,
                max_restarts=max_restarts,
                timeout_s=timeout,
                servers=found,
            )
        )
    raise typer.Exit(status)
