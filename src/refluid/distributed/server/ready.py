"""The file in which trainers, which start together with Ray, find where the servers are.

The process that starts Ray writes it, and removes it with the servers. It holds one line of JSON:
an address, or why there are no servers.
May import: errors.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from refluid.errors import DistributedError, PeerLost

__all__ = ["tell", "wait"]

_LOOK_S = 0.05


def tell(path: Path, **what: str) -> None:
    """Write the file, whole or not at all: `address`, or `error`."""
    new = path.with_suffix(".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(what, file)
    new.replace(path)


def wait(path: Path, timeout_s: float) -> str:
    """Wait until the servers are there, and return Ray's address.

    Raises:
        DistributedError: they could not be started.
        PeerLost: they are not there within `timeout_s` seconds.
    """
    begin = time.monotonic()
    while not path.exists():
        if time.monotonic() - begin >= timeout_s:
            raise PeerLost(
                f"the parameter servers are not there after {timeout_s:g} s: their launcher has "
                "ended or Ray starts slowly; start the program again, or give a longer `--timeout`."
            )
        time.sleep(_LOOK_S)
    what = json.loads(path.read_text())
    if "error" in what:
        raise DistributedError(what["error"])
    return what["address"]
