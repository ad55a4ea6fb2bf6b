"""`python -m refluid -m paddle.distributed.launch`: start a program as several processes.

May import: refluid.distributed, distributed.utils.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from refluid.distributed.fluid_launch import get_gpus, launch, main
from refluid.paddle.distributed.utils import Cluster, Pod, find_free_ports, get_cluster

__all__ = ["get_cluster_from_args", "get_gpus", "launch"]

_PORT = 6070


def get_cluster_from_args(
    args: argparse.Namespace, selected_gpus: Sequence[Any]
) -> tuple[Cluster, Pod]:
    """Return the job that a command line of the launcher describes, and this machine's part.

    Same as Paddle 1.8.

    Args:
        args: with `cluster_node_ips`, `node_ip`, `use_paddlecloud` and `started_port`.
        selected_gpus: the GPUs of each machine, one process for each.

    Raises:
        ValueError: `node_ip` is not among `cluster_node_ips`.
    """
    node_ips = [ip.strip() for ip in args.cluster_node_ips.split(",")]
    if args.node_ip not in node_ips:
        raise ValueError(
            f"`node_ip` {args.node_ip!r} is not among `cluster_node_ips` {args.cluster_node_ips!r}."
        )
    count = len(selected_gpus)
    if not args.use_paddlecloud and len(node_ips) <= 1 and args.started_port is None:
        ports = list(find_free_ports(count))
    else:
        first = _PORT if args.started_port is None else args.started_port
        ports = list(range(first, first + count))
    endpoints = [[f"{ip}:{port}" for port in ports] for ip in node_ips]
    return get_cluster(node_ips, args.node_ip, endpoints, selected_gpus)


if __name__ == "__main__":
    sys.exit(main())
