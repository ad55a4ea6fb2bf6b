"""Every environment variable that refluid knows; the only reader of `os.environ`.

| variable         | meaning                                                              |
|------------------|----------------------------------------------------------------------|
| REFLUID_DEVICE   | the device that every place in a fluid program means: cpu or cuda      |
| REFLUID_DATA     | folder searched for data sets, in place of ~/.cache/paddle/dataset   |
| PADDLE_TRAINER_ID, PADDLE_TRAINERS_NUM, PADDLE_CURRENT_ENDPOINT, PADDLE_TRAINER_ENDPOINTS,      |
| FLAGS_selected_gpus: set by a launcher, read as Paddle reads them                               |

Variables are read when they are asked for, so a program may set them before it starts training.
May import: errors.
"""

from __future__ import annotations

import os
from pathlib import Path

from refluid.errors import DeviceError

__all__ = [
    "DATA",
    "DEVICE",
    "DEVICES",
    "current_endpoint",
    "data_home",
    "force_device",
    "forced_device",
    "num_trainers",
    "selected_gpu",
    "trainer_endpoints",
    "trainer_id",
]

DEVICE = "REFLUID_DEVICE"
DATA = "REFLUID_DATA"
DEVICES = ("cpu", "cuda")


def forced_device() -> str | None:
    """Return the device that replaces every place in a program, or None.

    Raises:
        DeviceError: the variable holds something other than `cpu` or `cuda`.
    """
    value = os.environ.get(DEVICE) or None
    if value is not None and value not in DEVICES:
        raise DeviceError(f"{DEVICE} must be one of {', '.join(DEVICES)}, but is {value!r}.")
    return value


def force_device(name: str) -> None:
    """Make `name` the device of this process and of every process that it starts."""
    os.environ[DEVICE] = name
    forced_device()


def data_home() -> Path:
    """Return the folder where data sets are cached, by default Paddle's own."""
    value = os.environ.get(DATA)
    return Path(value) if value else Path.home() / ".cache" / "paddle" / "dataset"


def trainer_id() -> int:
    """Return the rank that a launcher gave this process, by default 0."""
    return int(os.environ.get("PADDLE_TRAINER_ID", "0"))


def num_trainers() -> int:
    """Return how many processes a launcher started, by default 1."""
    return int(os.environ.get("PADDLE_TRAINERS_NUM", "1"))


def current_endpoint() -> str:
    """Return this process's `host:port`, empty without a launcher."""
    return os.environ.get("PADDLE_CURRENT_ENDPOINT", "")


def trainer_endpoints() -> list[str]:
    """Return every process's `host:port`, one empty entry without a launcher."""
    return os.environ.get("PADDLE_TRAINER_ENDPOINTS", "").split(",")


def selected_gpu() -> int:
    """Return the GPU that a launcher gave this process, by default 0."""
    return int(os.environ.get("FLAGS_selected_gpus", "0").split(",")[0])
