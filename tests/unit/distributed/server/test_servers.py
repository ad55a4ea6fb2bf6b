from __future__ import annotations

import socket

import pytest

from refluid.distributed.server.plan import ServerPlan
from refluid.distributed.server.servers import Servers
from refluid.errors import DistributedError

pytest.importorskip("ray", reason="Ray, the engine of the parameter servers, is not installed")


def test_a_cluster_that_is_not_there_is_an_error_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"127.0.0.1:{free.getsockname()[1]}"
        plan = ServerPlan(num_servers=1, num_trainers=1, address=address)
        with pytest.raises(DistributedError, match=f"there is no Ray cluster at {address}"):
            Servers(plan, print).__enter__()


def test_an_address_of_another_form_is_an_error():
    plan = ServerPlan(num_servers=1, num_trainers=1, address="nowhere")
    with pytest.raises(DistributedError, match="`ray-address` must be HOST:PORT"):
        Servers(plan, print).__enter__()
