"""Data parallel training by parameter servers, which are actors of Ray.

plan.py        what is started, as the trainers are told      servers.py   starts and ends it
head.py        the process that holds Ray meanwhile           actor.py     one server, to Ray
cluster.py     Ray: one of our own, or one that is there       message.py   what is said
shard.py       one server: values, rounds, its checkpoints     trainer.py   what a program talks by
assignment.py  which server holds which parameter              buffer.py    tensors as bytes
rule.py        what an optimizer is to a server                torch_rule.py  torch's optimizers
served.py      `serve` for programs of torch                  registry.py  who is served
ready.py       how trainers learn where the servers are

The launcher loads no torch, so this package gives its names when they are asked for.
May import: its own files when asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from refluid.distributed.server.plan import ServerPlan
    from refluid.distributed.server.rule import Rule
    from refluid.distributed.server.served import serve
    from refluid.distributed.server.servers import Servers
    from refluid.distributed.server.trainer import Trainer

__all__ = ["Rule", "ServerPlan", "Servers", "Trainer", "serve"]

_LOADED_LATER = {
    "Rule": "rule",
    "ServerPlan": "plan",
    "Servers": "servers",
    "Trainer": "trainer",
    "serve": "served",
}


def __getattr__(name: str) -> Any:
    if name not in _LOADED_LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_LOADED_LATER[name]}"), name)
    globals()[name] = value
    return value
