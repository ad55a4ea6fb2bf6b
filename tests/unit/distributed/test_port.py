"""A reserved port is kept from others and for the process that it is meant for."""

from __future__ import annotations

import socket
import sys

import pytest

from refluid.distributed.port import interface_towards, is_loopback, parse_endpoint, reserve
from refluid.errors import DistributedError


def test_a_reserved_port_can_be_listened_on_by_its_owner_alone():
    with reserve("127.0.0.1") as kept:
        port = kept.getsockname()[1]
        with reserve("127.0.0.1", port) as listening:
            listening.listen()
            with pytest.raises(DistributedError, match=f"the port {port} of 127.0.0.1 is in use"):
                reserve("127.0.0.1", port)
        with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
            stranger.bind(("127.0.0.1", port))


def test_a_host_that_is_not_known_is_named():
    with pytest.raises(DistributedError, match="the host 'no.such.invalid' is not known"):
        reserve("no.such.invalid", 1)


def test_endpoints_are_read():
    assert parse_endpoint("10.0.0.1:80", "x") == ("10.0.0.1", 80)
    assert parse_endpoint("[::1]:80", "x") == ("::1", 80)
    with pytest.raises(DistributedError, match="`x` must be HOST:PORT"):
        parse_endpoint("10.0.0.1", "x")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is asked")
def test_the_interface_towards_an_address_is_found():
    assert interface_towards("127.0.0.2") == "lo"
    assert interface_towards("localhost") == "lo"
    # an address that documents use and nobody has: the way there is that of the default route
    assert interface_towards("192.0.2.1") in {None, *(name for _, name in socket.if_nameindex())}
    assert interface_towards("no.such.invalid") is None


def test_addresses_of_this_machine_alone_are_known():
    assert [is_loopback(host) for host in ("127.0.0.9", "::1", "localhost", "10.0.0.1", "a")] == [
        True, True, True, False, False,
    ]  # fmt: skip
