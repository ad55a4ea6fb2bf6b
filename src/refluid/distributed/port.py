"""Addresses that processes meet at: free ports, ports that are taken, the way to another machine.

A reserved port is bound but not listened on. Nobody else gets it meanwhile, but the process that it
is meant for can bind it too, since both say SO_REUSEADDR; so no port is lost between its choice by
the launcher and its use by a process that needs seconds to start.
May import: errors.
"""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import socket
import struct
import sys

from refluid.errors import DistributedError

__all__ = ["interface_towards", "is_loopback", "parse_endpoint", "reserve"]

_SIOCGIFADDR = 0x8915


def parse_endpoint(text: str, name: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`.

    Args:
        text: what is read.
        name: the option or variable that it came from, for the message.

    Raises:
        DistributedError: it is not of that form.
    """
    host, separator, port = text.strip().rpartition(":")
    if not (separator and host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise DistributedError(
            f"`{name}` must be HOST:PORT, such as 192.168.0.16:6170, but is {text!r}."
        )
    return host.strip("[]"), int(port)


def reserve(host: str, port: int = 0) -> socket.socket:
    """Keep a port of this machine for a process that is started later.

    Args:
        host: an address of this machine.
        port: 0 for one that is free.

    Returns:
        The bound socket: the port is kept until it is closed.

    Raises:
        DistributedError: the port is in use, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise DistributedError(
            f"the host {host!r} is not known ({error.strerror}): give an address, or a name that "
            "this machine can resolve."
        ) from None
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise DistributedError(_refusal(host, port, error)) from None
    return bound


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"the port {port} of {host} is in use by another program, or by processes of an "
            "earlier start that have not ended: choose another port, or end them."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{host} is no address of this machine, but rank 0 has to listen there: start the "
            "node of rank 0 on that machine, or give its address."
        )
    return f"the port {port} of {host} cannot be used: {error.strerror}."


def is_loopback(host: str) -> bool:
    """Return whether `host` means this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def interface_towards(host: str) -> str | None:
    """Return the network interface that leads to `host`, None where it cannot be told.

    Left to itself gloo takes the address of the machine's own name, which often is one that other
    machines cannot reach.
    """
    if not sys.platform.startswith("linux"):
        return None
    if is_loopback(host):
        return "lo"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # chooses a way, and sends nothing
            probe.connect((host, 9))
            own = probe.getsockname()[0]
            for _, name in socket.if_nameindex():
                if _address(probe, name) == own:
                    return name
    except OSError:
        return None
    return None


def _address(probe: socket.socket, interface: str) -> str | None:
    """Return the IPv4 address of an interface, None if it has none."""
    request = struct.pack("256s", interface.encode()[:15])
    try:
        return socket.inet_ntoa(fcntl.ioctl(probe, _SIOCGIFADDR, request)[20:24])
    except OSError:
        return None
