"""What a launcher decides about parameter servers, and how the trainers learn of it.

It travels in one environment variable, as JSON.
May import: env, errors.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from refluid.errors import DistributedError

__all__ = ["MODES", "ServerPlan"]

MODES = ("sync", "async")


@dataclass(frozen=True, kw_only=True)
class ServerPlan:
    """How many servers and trainers there are, and how they work together.

    Args:
        num_servers: over how many servers the parameters are split.
        num_trainers: how many processes push gradients.
        mode: "sync" updates when all trainers have pushed; "async" at each push.
        staleness: how many steps a trainer may be ahead of the slowest, in async mode.
        save_every_steps: after how many updates a server saves what it holds.
        address: Ray's, `HOST:PORT`; None for a cluster that is started for this alone.
        namespace: keeps the servers of several launches in one cluster apart.
        ready_file: where it is said, once the servers are there, how to reach them; see ready.py.

    Raises:
        DistributedError: a value is impossible.
    """

    num_servers: int
    num_trainers: int
    mode: str = "sync"
    staleness: int = 4
    save_every_steps: int = 100
    address: str | None = None
    namespace: str = "refluid"
    ready_file: str = ""

    def __post_init__(self) -> None:
        least = {"num_servers": 1, "num_trainers": 1, "staleness": 0, "save_every_steps": 1}
        for name, smallest in least.items():
            value = getattr(self, name)
            if type(value) is not int or value < smallest:
                raise DistributedError(
                    f"`{name}` must be a whole number from {smallest}, but is {value!r}."
                )
        if self.mode not in MODES:
            raise DistributedError(f"`mode` must be sync or async, but is {self.mode!r}.")

    def encode(self) -> str:
        """Return the text that `decode` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> ServerPlan:
        """Return the plan of a text.

        Raises:
            DistributedError: it is no such text.
        """
        try:
            value = json.loads(text)
            if not isinstance(value, dict) or value.keys() != {field.name for field in fields(cls)}:
                raise ValueError("it has other entries")
            if not all(isinstance(value[key], str) for key in ("namespace", "ready_file")):
                raise ValueError("`namespace` and `ready_file` must be strings")
        except ValueError as error:
            raise DistributedError(
                f"REFLUID_SERVERS is not what a launcher sets ({error}): unset it, or start the "
                "program by `refluid launch --mode ps`."
            ) from None
        return cls(**value)
