"""Paddle's launcher of parameter servers: its options, for `refluid.distributed.launch`.

In Paddle the servers are processes that run the program too; here they are actors of Ray, so
`--endpoints` and `--start_port`, where they would listen, are accepted and not used.
May import: errors, fluid_launch, launch, server.
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from refluid.distributed.fluid_launch import _truth as truth
from refluid.distributed.launch import Launch, run
from refluid.distributed.server import ServerPlan, Servers
from refluid.errors import DistributedError, RefluidError

__all__ = ["main", "parser"]

_LOCAL = "127.0.0.1"
_USER_ERROR = 2


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line: the options of Paddle 1.8."""
    made = argparse.ArgumentParser(
        prog="python -m refluid -m paddle.distributed.launch_ps",
        description="Start a training program as several trainers with parameter servers.",
    )
    made.add_argument("--cluster_node_ips", default=_LOCAL, help="must be this machine alone")
    made.add_argument("--node_ip", default=_LOCAL, help="the address of this machine")
    made.add_argument("--start_port", type=int, default=6170, help="not used: Ray takes free ports")
    made.add_argument("--print_config", type=truth, default=True, help="start only if true")
    made.add_argument("--endpoints", default="", help="not used: Ray takes free ports")
    made.add_argument("--worker_num", type=int, default=2, help="number of trainers")
    made.add_argument("--server_num", type=int, default=2, help="number of servers")
    made.add_argument("--log_dir", default="logs", help="folder for a file workerlog.N of each")
    made.add_argument("training_script", help="the program")
    made.add_argument("training_script_args", nargs=argparse.REMAINDER, help="its arguments")
    return made


def main(open_store: Callable[[str, str], Any], arguments: Sequence[str] | None = None) -> int:
    """Read a command line, start servers and trainers, and return the exit status.

    Same as Paddle 1.8, which starts nothing if `--print_config` is false.

    Args:
        open_store: returns where a server keeps its checkpoints, by a folder and a name.
        arguments: by default those of this process.
    """
    args = parser().parse_args(arguments)
    if not args.print_config:
        return 0
    try:
        if args.cluster_node_ips != args.node_ip:
            raise DistributedError(
                f"`--cluster_node_ips` is {args.cluster_node_ips}, but servers of several machines "
                "need a Ray cluster: use `refluid launch --mode ps --ray-address HOST:PORT`."
            )
        with tempfile.TemporaryDirectory(prefix="refluid-") as folder:
            plan = ServerPlan(num_servers=args.server_num, num_trainers=args.worker_num)
            return run(
                Launch(
                    command=[args.training_script, *args.training_script_args],
                    num_processes=args.worker_num,
                    log_dir=Path(args.log_dir),
                    servers=Servers(plan, functools.partial(open_store, folder)),
                )
            )
    except RefluidError as error:
        sys.stderr.write(f"refluid: {error}\n")
        return _USER_ERROR
