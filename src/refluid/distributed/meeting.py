"""How processes find each other, and find out what would keep them from training together.

Rank 0 listens; the others come to it, and each says who it is. Before any tensor is exchanged, all
know that every rank is there once, that they count the same number, and that they run the same
program; what is wrong is an error in every process, which names the rank.
May import: torch, env, errors, peer, port.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import socket
import sys
import time

import torch
from torch import distributed

from refluid import env
from refluid.distributed import peer
from refluid.distributed.port import parse_endpoint, reserve
from refluid.errors import DistributedError

__all__ = ["AGAIN", "meet"]

# where a process that was started again alone leaves its rank
AGAIN = "again"

_LET_KNOW_S = 1.0
_RETRY_S = 0.1
# a machine's name may become known only when it has started, as in Kubernetes
_NAME_S = 60.0


def meet(rank: int, world_size: int, master: str, timeout_s: float) -> distributed.Store:
    """Wait until all ranks are there, and return the store that they are connected to.

    Args:
        rank: this process's number.
        world_size: how many processes there are, at least two.
        master: `HOST:PORT` where rank 0 listens.
        timeout_s: how long they wait for each other.

    Raises:
        DistributedError: a rank is missing or there twice, the ranks count different numbers or run
            different programs, or the address cannot be used or reached.

    Effects:
        A collective. Rank 0 listens at `master`, on that interface alone.
    """
    if not master:
        raise DistributedError(
            f"there are to be {world_size} processes, but nothing says where rank 0 listens: start "
            "the program by `refluid launch --nproc N` or paddle.distributed.launch."
        )
    host, port = parse_endpoint(master, "MASTER_ADDR:MASTER_PORT")
    until = time.monotonic() + timeout_s
    while True:
        if rank == 0:
            store = _listen(host, port, timeout_s)
        else:
            _reach(rank, host, port, until, timeout_s)
            store = _connect(host, port, timeout_s)
        if store is not None and _call_roll(store, rank, world_size, until, timeout_s):
            return store
        # the store of processes that have been ended, on another machine, since their restart
        time.sleep(_RETRY_S)


def _listen(host: str, port: int, timeout_s: float) -> distributed.Store:
    bound = reserve(host, port)
    bound.listen(128)
    # torch itself would listen on all interfaces
    store = distributed.TCPStore(
        host,
        bound.getsockname()[1],
        is_master=True,
        wait_for_workers=False,
        timeout=datetime.timedelta(seconds=timeout_s),
        master_listen_fd=bound.fileno(),
    )
    bound.detach()
    return store


def _reach(rank: int, host: str, port: int, until: float, timeout_s: float) -> None:
    """Wait until rank 0 listens; torch's own waiting fills the screen."""
    named_until = min(until, time.monotonic() + _NAME_S)
    while True:
        try:
            with socket.create_connection((host, port), max(0.1, until - time.monotonic())):
                return
        except socket.gaierror as error:
            if time.monotonic() > named_until:
                raise DistributedError(
                    f"rank {rank} cannot find the host {host!r} of rank 0 ({error.strerror}): give "
                    "an address, or a name that this machine can resolve."
                ) from None
            time.sleep(_RETRY_S)
        except OSError as error:
            if time.monotonic() > until:
                raise DistributedError(
                    f"rank {rank} could not reach rank 0 at {host}:{port} within {timeout_s:g} s "
                    f"({error.strerror or error}): was rank 0 started, is the address that of its "
                    "machine, and does a firewall let the port through?"
                ) from None
            time.sleep(_RETRY_S)


def _connect(host: str, port: int, timeout_s: float) -> distributed.Store | None:
    try:
        return distributed.TCPStore(
            host,
            port,
            is_master=False,
            wait_for_workers=False,
            timeout=datetime.timedelta(seconds=timeout_s),
        )
    except RuntimeError:
        return None


def _call_roll(
    store: distributed.Store, rank: int, world_size: int, until: float, timeout_s: float
) -> bool:
    """Compare all ranks; return False if this is not the store of those that are there now."""
    # a process that was started again may find rank 0's former process about to end
    again = env.num_restarts() > 0 and rank > 0
    try:
        if store.add(f"taken/{rank}", 1) > 1:
            if again and time.monotonic() < until:
                # those that have met before can only meet again if they all do
                store.set(AGAIN, str(rank))
                return False
            raise DistributedError(
                f"rank {rank} is there twice: give every process its own PADDLE_TRAINER_ID (RANK), "
                "or let a launcher do it."
            )
        if rank == 0:
            store.set("world_size", str(world_size))
        peer.wait_for(store, ["world_size"], until - time.monotonic())
        expected = int(store.get("world_size"))
        if expected != world_size:
            raise DistributedError(
                f"rank {rank} counts {world_size} processes, but rank 0 {expected}: "
                "PADDLE_TRAINERS_NUM (WORLD_SIZE) must be the same for all."
            )
        keys = [f"hello/{k}" for k in range(world_size)]
        store.set(keys[rank], json.dumps(_hello()))
        missing = peer.wait_for(store, keys, until - time.monotonic())
        hellos = {} if missing else {k: json.loads(store.get(key)) for k, key in enumerate(keys)}
    except DistributedError:
        raise
    except RuntimeError:
        if again and time.monotonic() < until:
            return False
        raise DistributedError(f"rank {rank} lost rank 0 before all had arrived.") from None
    if missing:
        if rank == 0:
            # the others find out by asking this store, until their own time is over
            time.sleep(_LET_KNOW_S)
        raise DistributedError(
            f"{peer.names(missing)} of {world_size} did not arrive within {timeout_s:g} s: were "
            "they started, or do they need longer (`--timeout`)?"
        )
    _compare(hellos)
    return True


def _hello() -> dict[str, str]:
    """Return what has to be the same in all processes."""
    path = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    try:
        with open(path, "rb") as file:
            digest = hashlib.blake2b(file.read(), digest_size=8).hexdigest()
    except OSError:
        path, digest = "", ""
    return {
        "program": os.path.basename(path),
        "digest": digest,
        "torch": str(torch.__version__),
    }


def _compare(hellos: dict[int, dict[str, str]]) -> None:
    first = hellos[0]
    for rank, hello in hellos.items():
        if hello["digest"] != first["digest"]:
            raise DistributedError(
                f"rank {rank} runs {hello['program'] or 'another program'}, whose text is not that "
                f"of rank 0's {first['program'] or 'program'}: start the same program everywhere."
            )
        if hello["torch"] != first["torch"]:
            raise DistributedError(
                f"rank {rank} has torch {hello['torch']}, but rank 0 {first['torch']}: install the "
                "same version everywhere."
            )
