"""Ray: a cluster of our own on this machine, or one that is there.

Our own listens on the loopback interface alone, asks for a password that only its processes know,
sends nothing to Ray's makers and keeps its files in a folder that is removed. Ray's processes end
with the process that started them, on Linux even if that is killed.
May import: errors, distributed.port; ray when it is called.
"""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from refluid.distributed.port import parse_endpoint
from refluid.errors import DistributedError

__all__ = ["check", "connected", "load_ray", "started"]

# gradients and values of one step of each trainer pass through it
_STORE_BYTES = 256 * 2**20
_REACH_S = 5.0
# a socket's path may have 107 bytes, and Ray adds about 70
_LONGEST_FOLDER = 30


def load_ray() -> ModuleType:
    """Return the module `ray`.

    Raises:
        DistributedError: it is not installed.
    """
    try:
        # optional, and a second's work
        return importlib.import_module("ray")
    except ImportError as error:
        raise DistributedError(
            "the parameter server needs Ray: pip install 'refluid[server]', or train with "
            f"collectives ({error})."
        ) from None


@contextlib.contextmanager
def started() -> Iterator[str]:
    """Run a cluster on this machine within the block, and be connected to it.

    This process, and those that shall use the cluster, need the variables of `env.own_ray`.

    Returns:
        Its address.

    Raises:
        DistributedError: Ray is not installed or does not start.
    """
    ray = load_ray()
    parent = tempfile.gettempdir()
    folder = tempfile.mkdtemp(
        prefix="refluid-", dir=parent if len(parent) < _LONGEST_FOLDER else "/tmp"
    )
    try:
        with _signals_kept(), _no_more_than_needed(ray):
            context = _init(
                ray,
                address="local",
                num_cpus=1,
                num_gpus=0,
                include_dashboard=False,
                object_store_memory=_STORE_BYTES,
                _temp_dir=folder,
            )
        try:
            yield context.address_info["address"]
        finally:
            ray.shutdown()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def connected(address: str, namespace: str) -> Iterator[ModuleType]:
    """Be connected to a cluster within the block.

    Args:
        address: `HOST:PORT`, as `ray start` shows it.
        namespace: within which actors are found by name.

    Raises:
        DistributedError: Ray is not installed, or there is no cluster.
    """
    ray = load_ray()
    check(address)
    with _signals_kept():
        _init(ray, address=address, namespace=namespace)
    try:
        yield ray
    finally:
        ray.shutdown()


def check(address: str | None) -> None:
    """Find out early, without loading Ray, what keeps `started` or `connected` from working.

    Raises:
        DistributedError: Ray is not installed, or nothing listens at `address`.
    """
    if importlib.util.find_spec("ray") is None:
        load_ray()
    if address is None:
        return
    try:
        # Ray would try for a minute
        socket.create_connection(parse_endpoint(address, "ray-address"), _REACH_S).close()
    except OSError as error:
        raise DistributedError(_unreachable(address, error)) from None


@contextlib.contextmanager
def _no_more_than_needed(ray: ModuleType) -> Iterator[None]:
    """Have Ray start neither what adds machines to a cluster nor what reads logs.

    Both are two of the four seconds that it takes, and `ray.init` has no option for them.
    """
    parameter = ray._private.parameter
    kind = parameter.RayParams

    def make(**options: Any) -> Any:
        chosen = kind(**options)
        chosen.no_monitor, chosen.include_log_monitor = True, False
        return chosen

    parameter.RayParams = make
    try:
        yield
    finally:
        parameter.RayParams = kind


def _init(ray: ModuleType, **options: Any) -> Any:
    try:
        return ray.init(
            log_to_driver=False, logging_level="error", configure_logging=False, **options
        )
    except (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError) as error:
        if options["address"] != "local":
            raise DistributedError(_unreachable(str(options["address"]), error)) from error
        raise DistributedError(f"Ray does not start on this machine: {error}") from error


def _unreachable(address: str, error: Exception) -> str:
    return (
        f"there is no Ray cluster at {address} that lets this process in ({error}): start one by "
        "`ray start --head`, or leave `--ray-address` out."
    )


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """Leave SIGTERM to the program: Ray would have it end the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)
