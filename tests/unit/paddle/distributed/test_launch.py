"""The job that a command line of Paddle's launcher describes."""

from __future__ import annotations

import argparse

import pytest

from refluid.paddle.distributed.launch import get_cluster_from_args


def options(**changed: object) -> argparse.Namespace:
    given = {
        "cluster_node_ips": "127.0.0.1",
        "node_ip": "127.0.0.1",
        "use_paddlecloud": False,
        "started_port": None,
    }
    return argparse.Namespace(**{**given, **changed})


def test_one_machine_gets_free_ports() -> None:
    cluster, pod = get_cluster_from_args(options(), ["0", "1"])
    endpoints = cluster.trainers_endpoints()
    assert len(set(endpoints)) == 2
    assert all(endpoint.startswith("127.0.0.1:") for endpoint in endpoints)
    assert cluster.pods == [pod]


@pytest.mark.parametrize(("port", "first"), [(None, 6070), (7000, 7000)])
def test_several_machines_get_ports_in_a_row(port: int | None, first: int) -> None:
    args = options(cluster_node_ips="10.0.0.1, 10.0.0.2", node_ip="10.0.0.2", started_port=port)
    cluster, pod = get_cluster_from_args(args, ["0", "1"])
    assert cluster.trainers_endpoints() == [
        f"10.0.0.{node}:{number}" for node in (1, 2) for number in (first, first + 1)
    ]
    assert pod.rank == 1


def test_machine_must_be_one_of_the_cluster() -> None:
    with pytest.raises(ValueError, match=r"`node_ip` '10\.0\.0\.9' is not among"):
        get_cluster_from_args(options(node_ip="10.0.0.9"), ["0"])
