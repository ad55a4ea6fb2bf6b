"""Every environment variable that refluid knows; the only reader of `os.environ`.

| variable         | meaning                                                              |
|------------------|----------------------------------------------------------------------|
| REFLUID_DEVICE   | the device that every place in a fluid program means: cpu or cuda      |
| REFLUID_NO_ERA   | if set, what NumPy and others took away since 2020 is not given back   |
| REFLUID_DATA     | folder searched for data sets, in place of ~/.cache/paddle/dataset   |
| REFLUID_RUNS     | folder of the directories of all runs, set by `refluid verify` and `sweep` |
| REFLUID_DIGESTS  | if set, runs note a digest of their whole state after each step        |
| CUBLAS_WORKSPACE_CONFIG: set within a deterministic run, where cuBLAS needs it                  |
| all of `NUMERIC`: read for a run's fingerprint, since they can change the bits of results       |
| PADDLE_TRAINER_ID, PADDLE_TRAINERS_NUM, PADDLE_CURRENT_ENDPOINT, PADDLE_TRAINER_ENDPOINTS,      |
| FLAGS_selected_gpus: set by a launcher, read as Paddle reads them                               |
| RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT: the same for torch, read where Paddle's  |
| are missing                                                                                     |
| REFLUID_TIMEOUT: how many seconds processes wait for each other, set by a launcher              |
| REFLUID_RESTARTS: how often a launcher has started this process before                          |
| REFLUID_SERVERS: where the parameter servers are, set by a launcher of `--mode ps`              |
| all of `OWN_RAY`: set where refluid starts Ray itself                                           |
| OMP_NUM_THREADS, GLOO_SOCKET_IFNAME: set by a launcher unless they are set                      |
| DISABLE_PLOT: if `True`, paddle.utils.Ploter draws nothing, as in Paddle                         |
| FLAGS_...: flags of Paddle's that `fluid.get_flags` knows, read when fluid is imported           |
| PADDLE_TRAINERS, POD_IP, PADDLE_PORT, DISTRIBUTED_TRAINER_ENDPOINTS: set by PaddleCloud         |

Variables are read when they are asked for, so a program may set them before it starts training.
May import: errors.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from refluid.errors import DeviceError, RefluidError

__all__ = [
    "DATA",
    "DEVICE",
    "DEVICES",
    "DIGESTS",
    "GLOO_INTERFACE",
    "NO_ERA",
    "NUMERIC",
    "OWN_RAY",
    "RESTARTS",
    "RUNS",
    "SERVERS",
    "THREADS",
    "TIMEOUT",
    "cloud",
    "cublas_workspace",
    "current_endpoint",
    "data_home",
    "digests_wanted",
    "era_wanted",
    "flag",
    "force_device",
    "forced_device",
    "gloo_interface",
    "local_rank",
    "master",
    "num_restarts",
    "num_threads",
    "num_trainers",
    "numeric_variables",
    "own_ray",
    "plots_disabled",
    "proof_environment",
    "rank",
    "refuse_era",
    "run_directory",
    "selected_gpu",
    "servers",
    "timeout_s",
    "trainer_endpoints",
    "trainer_id",
    "visible_gpus",
    "worker_environment",
    "world_size",
]

DEVICE = "REFLUID_DEVICE"
NO_ERA = "REFLUID_NO_ERA"
DATA = "REFLUID_DATA"
RUNS = "REFLUID_RUNS"
DIGESTS = "REFLUID_DIGESTS"
TIMEOUT = "REFLUID_TIMEOUT"
RESTARTS = "REFLUID_RESTARTS"
SERVERS = "REFLUID_SERVERS"
THREADS = "OMP_NUM_THREADS"
GLOO_INTERFACE = "GLOO_SOCKET_IFNAME"
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
_RAY_PASSWORD = "RAY_AUTH_TOKEN"
# Ray sends nothing to its makers, listens on the loopback interface only (which this switch for
# other systems does on all), asks for a password, and does not warn of a change to come
OWN_RAY = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


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


def era_wanted() -> bool:
    """Return whether a program shall find what modern libraries took away since 2020."""
    return not os.environ.get(NO_ERA)


def refuse_era() -> None:
    """Have neither this process nor any that it starts give back what is gone since 2020."""
    os.environ[NO_ERA] = "1"


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


def rank() -> int:
    """Return this process's number among those that train together, by default 0.

    Raises:
        RefluidError: it is no such number, or Paddle's variable and torch's do not agree.
    """
    return _agreed("PADDLE_TRAINER_ID", "RANK", 0)


def world_size() -> int:
    """Return how many processes train together, by default 1; raises as `rank` does."""
    return _agreed("PADDLE_TRAINERS_NUM", "WORLD_SIZE", 1)


# what Paddle's programs call these
trainer_id, num_trainers = rank, world_size


def current_endpoint() -> str:
    """Return this process's `host:port`, empty without a launcher."""
    return os.environ.get("PADDLE_CURRENT_ENDPOINT", "")


def trainer_endpoints() -> list[str]:
    """Return every process's `host:port`, one empty entry without a launcher."""
    return os.environ.get("PADDLE_TRAINER_ENDPOINTS", "").split(",")


def selected_gpu() -> int:
    """Return the GPU that a launcher gave this process, by default 0."""
    value = os.environ.get("FLAGS_selected_gpus", "0").split(",")[0]
    return _whole("FLAGS_selected_gpus", value)


def local_rank() -> int:
    """Return this process's number among those of its machine, by default its rank."""
    return _number("LOCAL_RANK", rank())


def master() -> str:
    """Return `host:port` where rank 0 listens, empty where no variable says it."""
    host, port = os.environ.get("MASTER_ADDR"), os.environ.get("MASTER_PORT")
    return f"{host}:{port}" if host and port else trainer_endpoints()[0]


def timeout_s() -> float:
    """Return how long this process waits for others, by default 300 s.

    Raises:
        RefluidError: the variable holds no number above 0.
    """
    text = os.environ.get(TIMEOUT) or "300"
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise RefluidError(f"{TIMEOUT} must be a number of seconds above 0, but is {text!r}.")
    return value


def num_restarts() -> int:
    """Return how often a launcher has started this process before, by default 0."""
    return _number(RESTARTS, 0)


def servers() -> str | None:
    """Return what a launcher says about parameter servers, None if there are none."""
    return os.environ.get(SERVERS) or None


def own_ray() -> dict[str, str]:
    """Return the variables of all processes that use one Ray of our own, with a new password."""
    return {**OWN_RAY, _RAY_PASSWORD: secrets.token_hex(32)}


def plots_disabled() -> bool:
    """Return whether `paddle.utils.Ploter` shall draw nothing: DISABLE_PLOT is `True`."""
    return os.environ.get("DISABLE_PLOT") == "True"


def num_threads() -> str | None:
    """Return OMP_NUM_THREADS, None if it is not set."""
    return os.environ.get(THREADS) or None


def gloo_interface() -> str | None:
    """Return the network interface that gloo is told to use, None if it is not."""
    return os.environ.get(GLOO_INTERFACE) or None


def flag(name: str) -> str | None:
    """Return the value of one of Paddle's flags, such as FLAGS_benchmark, None if it is not set."""
    return os.environ.get(name) or None


def visible_gpus() -> list[str]:
    """Return the entries of CUDA_VISIBLE_DEVICES, none if it is not set or empty."""
    value = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return [entry.strip() for entry in value.split(",")] if value else []


def cloud(name: str) -> str | None:
    """Return a variable that PaddleCloud sets on its machines, None if it is not set."""
    return os.environ.get(name) or None


def worker_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `variables`, for a process that a launcher starts."""
    return {**os.environ, **variables}


def _agreed(of_paddle: str, of_torch: str, default: int) -> int:
    found = {name: _number(name, default) for name in (of_paddle, of_torch) if name in os.environ}
    if len(set(found.values())) > 1:
        raise RefluidError(
            f"{of_paddle} is {found[of_paddle]}, but {of_torch} is {found[of_torch]}: they mean "
            "the same, so unset one, or start the program by one launcher."
        )
    return next(iter(found.values()), default)


def _number(name: str, default: int) -> int:
    value = os.environ.get(name)
    return default if value is None else _whole(name, value)


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise RefluidError(f"{name} must be a whole number from 0, but is {value!r}.")
    return int(value)
