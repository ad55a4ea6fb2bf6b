"""Every environment variable that refluid knows; the only reader of `os.environ`.

| variable         | meaning                                                              |
|------------------|----------------------------------------------------------------------|
| REFLUID_DEVICE   | the device that every place in a fluid program means: cpu or cuda      |
| REFLUID_DATA     | folder searched for data sets, in place of ~/.cache/paddle/dataset   |
| REFLUID_RUNS     | folder of the directories of all runs, set by `refluid verify` and `sweep` |
| REFLUID_DIGESTS  | if set, runs note a digest of their whole state after each step        |
| CUBLAS_WORKSPACE_CONFIG: set within a deterministic run, where cuBLAS needs it                  |
| all of `NUMERIC`: read for a run's fingerprint, since they can change the bits of results       |
| PADDLE_TRAINER_ID, PADDLE_TRAINERS_NUM, PADDLE_CURRENT_ENDPOINT, PADDLE_TRAINER_ENDPOINTS,      |
| FLAGS_selected_gpus: set by a launcher, read as Paddle reads them                               |

Variables are read when they are asked for, so a program may set them before it starts training.
May import: errors.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from refluid.errors import DeviceError

__all__ = [
    "DATA",
    "DEVICE",
    "DEVICES",
    "DIGESTS",
    "NUMERIC",
    "RUNS",
    "cublas_workspace",
    "current_endpoint",
    "data_home",
    "digests_wanted",
    "force_device",
    "forced_device",
    "num_trainers",
    "numeric_variables",
    "proof_environment",
    "run_directory",
    "selected_gpu",
    "trainer_endpoints",
    "trainer_id",
]

DEVICE = "REFLUID_DEVICE"
DATA = "REFLUID_DATA"
RUNS = "REFLUID_RUNS"
DIGESTS = "REFLUID_DIGESTS"
DEVICES = ("cpu", "cuda")
# What the libraries below torch, and Python's order of strings in sets, are governed by
NUMERIC = (
    "ATEN_CPU_CAPABILITY",
    "CUBLASLT_WORKSPACE_SIZE",
    "CUBLAS_WORKSPACE_CONFIG",
    "DNNL_DEFAULT_FPMATH_MODE",
    "DNNL_MAX_CPU_ISA",
    "KMP_DETERMINISTIC_REDUCTION",
    "MKL_CBWR",
    "MKL_DYNAMIC",
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "OMP_DYNAMIC",
    "OMP_NUM_THREADS",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
    "PYTHONHASHSEED",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
)


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


def run_directory(directory: Path) -> Path:
    """Return where a run that names `directory` shall lie."""
    value = os.environ.get(RUNS)
    parts = [part for part in directory.parts if part not in (directory.anchor, "..")]
    return Path(value, *parts) if value else directory


def digests_wanted() -> bool:
    """Return whether runs shall note a digest of their whole state after each step."""
    return bool(os.environ.get(DIGESTS))


def proof_environment(runs: Path) -> dict[str, str]:
    """Return this process's environment, for a program whose runs lie in `runs` with digests."""
    return {**os.environ, RUNS: str(runs), DIGESTS: "1"}


def numeric_variables() -> dict[str, str]:
    """Return those of `NUMERIC` that are set."""
    return {name: os.environ[name] for name in NUMERIC if name in os.environ}


@contextlib.contextmanager
def cublas_workspace(config: str) -> Iterator[None]:
    """Set CUBLAS_WORKSPACE_CONFIG within the block, unless it has a value already."""
    name = "CUBLAS_WORKSPACE_CONFIG"
    if os.environ.get(name):
        yield
        return
    os.environ[name] = config
    try:
        yield
    finally:
        os.environ.pop(name, None)


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
