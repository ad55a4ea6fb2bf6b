"""Paddle's launcher: its options, read as Paddle 1.8 reads them, for `refluid.distributed.launch`.

It stands here and not at Paddle's place, `paddle.distributed.launch`, which has it too, because
whatever is below `paddle` loads torch, and the launcher need not wait for that.

Beyond Paddle's options there is `--nproc_per_node`, for processes on CPUs. `--selected_gpus` counts
processes on a machine without GPUs too; whether a GPU is needed is known when the program asks for
its place.
May import: env, errors, launch.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
from collections.abc import Sequence
from pathlib import Path

from refluid import env
from refluid.distributed.launch import DEFAULT_TIMEOUT_S, Launch, run
from refluid.errors import DistributedError, RefluidError

__all__ = ["get_gpus", "launch", "main", "num_gpus", "parser", "read"]

_LOCAL = "127.0.0.1"
_PORT, _CLOUD_PORT = 6070, 6170
_USER_ERROR = 2


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line: Paddle 1.8's options, and three of our own."""
    made = argparse.ArgumentParser(
        prog="python -m refluid -m paddle.distributed.launch",
        description="Start a training program as several processes: one for each GPU, or "
        "--nproc_per_node on CPUs.",
    )
    made.add_argument(
        "--cluster_node_ips",
        default=_LOCAL,
        help="addresses of all nodes, such as 10.0.0.1,10.0.0.2",
    )
    made.add_argument("--node_ip", default=_LOCAL, help="the address of this node, one of these")
    made.add_argument(
        "--use_paddlecloud",
        action="store_true",
        help="read the nodes from PaddleCloud's variables",
    )
    made.add_argument(
        "--started_port",
        type=int,
        help="port of the first process of each node, the next follow",
    )
    made.add_argument(
        "--print_config",
        type=_truth,
        default=True,
        help="print these settings (default: True)",
    )
    made.add_argument("--selected_gpus", help="GPUs, one process for each, such as 0,1,2,3")
    made.add_argument(
        "--log_level",
        type=int,
        default=20,
        help="above 20 the settings are not printed",
    )
    made.add_argument("--log_dir", help="folder for a file workerlog.N of each process")
    made.add_argument(
        "--nproc_per_node",
        type=int,
        help="number of processes on each node, for CPUs (refluid)",
    )
    made.add_argument(
        "--max_restarts",
        type=int,
        default=0,
        help="how often all start again (refluid)",
    )
    made.add_argument(
        "--timeout", type=float, default=DEFAULT_TIMEOUT_S,
        help="seconds that processes wait for each other (refluid)",
    )  # fmt: skip
    made.add_argument("training_script", help="the program")
    made.add_argument("training_script_args", nargs=argparse.REMAINDER, help="its arguments")
    return made


def _truth(text: str) -> bool:
    """Read a truth value; to Paddle every text is true, `False` too."""
    return text.strip().lower() not in ("", "0", "false", "no", "off")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read a command line, start the processes, and return the exit status.

    Args:
        arguments: by default those of this process.

    Returns:
        What `refluid.distributed.launch.run` returns; 2 for settings that cannot be.
    """
    args = parser().parse_args(arguments)
    if args.print_config and args.log_level <= 20:
        lines = [f"{name}: {value}" for name, value in sorted(vars(args).items())]
        sys.stdout.write("-----------  Configuration Arguments -----------\n")
        sys.stdout.write("\n".join(lines))
        sys.stdout.write("\n------------------------------------------------\n")
        sys.stdout.flush()
    try:
        return run(read(args))
    except RefluidError as error:
        sys.stderr.write(f"refluid: {error}\n")
        return _USER_ERROR


def launch(args: argparse.Namespace) -> None:
    """Start what a parsed command line says, and wait for its end.

    Same as Paddle 1.8.

    Args:
        args: with the attributes that `parser` gives, those of refluid's own options may lack.

    Raises:
        SystemExit: a process has failed; its status.
        DistributedError: the settings cannot be.
    """
    status = run(read(args))
    if status:
        sys.exit(status)


def read(args: argparse.Namespace) -> Launch:
    """Return what a parsed command line asks for.

    Raises:
        DistributedError: the options contradict each other, or name what is not there.
    """
    gpus = _processes(args)
    nodes, node_ip = _nodes(args)
    if node_ip not in nodes:
        raise DistributedError(
            f"`--node_ip` is {node_ip}, which is none of `--cluster_node_ips` {','.join(nodes)}: "
            "give the address of this node as it stands there."
        )
    return Launch(
        command=[args.training_script, *args.training_script_args],
        num_processes=len(gpus),
        num_nodes=len(nodes),
        node_rank=nodes.index(node_ip),
        endpoints=_endpoints(args, nodes, len(gpus)),
        gpus=gpus,
        log_dir=Path(args.log_dir) if args.log_dir else None,
        max_restarts=getattr(args, "max_restarts", 0),
        timeout_s=getattr(args, "timeout", DEFAULT_TIMEOUT_S),
    )


def _processes(args: argparse.Namespace) -> list[str]:
    """Return the GPU of each process of this node."""
    count = getattr(args, "nproc_per_node", None)
    if count is None:
        gpus = get_gpus(args.selected_gpus)
        if gpus:
            return gpus
        raise DistributedError(
            "one process is started for each GPU, and there is none on this machine that can be "
            "used: give `--nproc_per_node=N` for N processes on CPUs, and in the program "
            "fluid.CPUPlace(), or `python -m refluid --device cpu -m paddle.distributed.launch`."
        )
    if count < 1:
        raise DistributedError(f"`--nproc_per_node` must be at least 1, but is {count}.")
    if args.selected_gpus is None:
        return [str(k) for k in range(count)]
    gpus = get_gpus(args.selected_gpus)
    if len(gpus) != count:
        raise DistributedError(
            f"`--nproc_per_node` is {count}, but `--selected_gpus` names {len(gpus)} GPUs: leave "
            "one of the two out."
        )
    return gpus


def get_gpus(selected_gpus: str | None) -> list[str]:
    """Return the numbers of GPUs as a process sees them.

    Same as Paddle 1.8: with CUDA_VISIBLE_DEVICES the numbers are places in that list.

    Args:
        selected_gpus: numbers with commas between; None for all that there are.

    Raises:
        DistributedError: one is no number, is there twice, or is not in CUDA_VISIBLE_DEVICES.
    """
    if selected_gpus is None:
        return [str(k) for k in range(num_gpus())]
    chosen = [text.strip() for text in selected_gpus.split(",")]
    wrong = [text for text in chosen if not (text.isascii() and text.isdigit())]
    if wrong or len(set(chosen)) < len(chosen):
        raise DistributedError(
            "`--selected_gpus` must be different numbers such as 0,1,2,3, but is "
            f"{selected_gpus!r}."
        )
    visible = env.visible_gpus()
    if not visible:
        return chosen
    hidden = [text for text in chosen if text not in visible]
    if hidden:
        raise DistributedError(
            f"`--selected_gpus`: GPU {', '.join(hidden)} is not among CUDA_VISIBLE_DEVICES "
            f"{','.join(visible)}: choose of these, or unset the variable."
        )
    return [str(visible.index(text)) for text in chosen]


def num_gpus() -> int:
    """Return how many GPUs the driver shows, 0 under `--device cpu`; torch is not loaded for it."""
    if env.forced_device() == "cpu":
        return 0
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


def _nodes(args: argparse.Namespace) -> tuple[list[str], str]:
    """Return the addresses of all nodes, and of this one."""
    if not args.use_paddlecloud or env.world_size() == 1:
        return [ip.strip() for ip in args.cluster_node_ips.split(",")], args.node_ip.strip()
    nodes, node_ip = env.cloud("PADDLE_TRAINERS"), env.cloud("POD_IP")
    if nodes is None or node_ip is None:
        raise DistributedError(
            "`--use_paddlecloud` needs the variables PADDLE_TRAINERS and POD_IP, which PaddleCloud "
            "sets: leave the option out elsewhere, and give `--cluster_node_ips` and `--node_ip`."
        )
    return nodes.split(","), node_ip


def _endpoints(args: argparse.Namespace, nodes: Sequence[str], count: int) -> list[str]:
    """Return the `host:port` of every process, none where they can be chosen here."""
    cloud = args.use_paddlecloud and env.world_size() > 1
    if len(nodes) == 1 and args.started_port is None and not cloud and nodes[0] == _LOCAL:
        return []
    given = env.cloud("DISTRIBUTED_TRAINER_ENDPOINTS") if cloud else None
    if given is not None:
        endpoints = given.split(",")
        if len(endpoints) != len(nodes) * count:
            raise DistributedError(
                f"DISTRIBUTED_TRAINER_ENDPOINTS has {len(endpoints)} entries, but {len(nodes)} "
                f"nodes with {count} processes need {len(nodes) * count}."
            )
        return endpoints
    port = args.started_port
    if cloud:
        port = port or int(env.cloud("PADDLE_PORT") or _CLOUD_PORT)
    port = _PORT if port is None else port
    if not 0 < port <= 65536 - count:
        raise DistributedError(
            f"`--started_port` must be from 1 to {65536 - count}, so that {count} ports follow it, "
            f"but is {port}."
        )
    return [f"{ip}:{port + k}" for ip in nodes for k in range(count)]


if __name__ == "__main__":
    sys.exit(main())
