"""Several processes that train one model: starting them, and what they say to each other.

launch.py      what is started, and with which environment     supervisor.py  starts and ends it
output.py      what the processes print                        guard.py       leaves no orphan
port.py        addresses and interfaces                        fluid_launch.py  Paddle's launcher
meeting.py     how processes find each other                   peer.py        why one is missing
group.py       those that have, and what they exchange         same.py        the same parameters?
gradients.py   the sum of gradients over the processes         worker.py      one process
ordered.py     the same for torch's DistributedDataParallel
pipeline/      a model in stages                               placement.py   parts on devices
server/        a parameter server

The launcher loads no torch, which would make every start wait for it twice; so this package gives
its names when they are asked for.
May import: errors, env; its own files when asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from refluid.errors import DistributedError, PeerLost

if TYPE_CHECKING:
    from refluid.distributed.group import Group, join, joined
    from refluid.distributed.pipeline import Pipeline, split
    from refluid.distributed.placement import place
    from refluid.distributed.same import broadcast, check_same

__all__ = [
    "DistributedError",
    "Group",
    "PeerLost",
    "Pipeline",
    "broadcast",
    "check_same",
    "join",
    "joined",
    "place",
    "split",
]

_LOADED_LATER = {
    "Group": "group",
    "Pipeline": "pipeline",
    "broadcast": "same",
    "check_same": "same",
    "join": "group",
    "joined": "group",
    "place": "placement",
    "split": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _LOADED_LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_LOADED_LATER[name]}"), name)
    globals()[name] = value
    return value
