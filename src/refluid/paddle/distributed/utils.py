"""What Paddle's launcher is made of, for programs that start their processes themselves.

A job is a `Cluster` of machines (`Pod`), each with processes (`Trainer`). The launcher of this
package does not use any of it: it watches its processes without polling, ends what they leave
behind, and is told what failed. `refluid launch` and `paddle.distributed.launch` are that one.
May import: refluid.env.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import logging
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from refluid import env

__all__ = [
    "Cluster",
    "Hdfs",
    "JobServer",
    "Pod",
    "Trainer",
    "TrainerProc",
    "add_arguments",
    "find_free_ports",
    "get_cluster",
    "get_host_name_ip",
    "get_logger",
    "start_local_trainers",
    "terminate_local_procs",
    "watch_local_trainers",
]

logger = logging.getLogger("root")
logger.propagate = False

_GRACE_S = 10.0
_WORDS = {
    **dict.fromkeys(("y", "yes", "t", "true", "on", "1"), 1),
    **dict.fromkeys(("n", "no", "f", "false", "off", "0"), 0),
}


# --- what a job consists of ---------------------------------------------------------------------


class Hdfs:
    """Where a job keeps files in HDFS. Same as Paddle 1.8."""

    def __init__(self) -> None:
        self.hdfs_ugi: str | None = None
        self.hdfs_name: str | None = None
        self.hdfs_path: str | None = None

    def is_valid(self) -> bool:
        """Return whether all three are given."""
        return None not in (self.hdfs_ugi, self.hdfs_name, self.hdfs_path)

    def __str__(self) -> str:
        return f"hdfs_ugi:{self.hdfs_ugi} hdfs_name:{self.hdfs_name} hdfs_path{self.hdfs_path}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hdfs) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


class JobServer:
    """Where a job is administered. Same as Paddle 1.8."""

    def __init__(self) -> None:
        self.endpoint: str | None = None

    def __str__(self) -> str:
        return str(self.endpoint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobServer) and self.endpoint == other.endpoint

    __hash__ = None  # type: ignore[assignment]


class Trainer:
    """One process of a job: its GPUs, its `host:port`, its rank. Same as Paddle 1.8."""

    def __init__(self) -> None:
        self.gpus: list[Any] = []
        self.endpoint: str | None = None
        self.rank: int | None = None

    def __str__(self) -> str:
        return f"gpu:{self.gpus} endpoint:{self.endpoint} rank:{self.rank}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trainer) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


class Pod:
    """One machine of a job, with its processes. Same as Paddle 1.8."""

    def __init__(self) -> None:
        self.rank: int | None = None
        self.id: str | None = None
        self.addr: str | None = None
        self.port: int | None = None
        self.trainers: list[Trainer] = []
        self.gpus: list[Any] = []

    def __str__(self) -> str:
        trainers = [str(trainer) for trainer in self.trainers]
        return (
            f"rank:{self.rank} id:{self.id} addr:{self.addr} port:{self.port} "
            f"visible_gpu:{self.gpus} trainers:{trainers}"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pod):
            return False
        mine = (self.rank, self.id, self.addr, self.port, self.trainers)
        return mine == (other.rank, other.id, other.addr, other.port, other.trainers)

    __hash__ = None  # type: ignore[assignment]

    def parse_response(self, res_pods: object) -> None:
        """Do nothing. Same as Paddle 1.8."""

    def get_visible_gpus(self) -> str:
        """Return the GPUs with commas between.

        Raises:
            AssertionError: there are none.
        """
        assert self.gpus, f"this pod {self} can't see any gpus"
        return ",".join(str(gpu) for gpu in self.gpus)


class Cluster:
    """All machines of a job.

    Differs from Paddle: `update_pods` works; there it raises NameError.

    Args:
        hdfs: accepted for compatibility; the attribute is None.
    """

    def __init__(self, hdfs: Hdfs | None) -> None:
        self.job_server: JobServer | None = None
        self.pods: list[Pod] = []
        self.hdfs: Hdfs | None = None
        self.job_stage_flag: str | None = None

    def __str__(self) -> str:
        return (
            f"job_server:{self.job_server} pods:{[str(pod) for pod in self.pods]} "
            f"job_stage_flag:{self.job_stage_flag} hdfs:{self.hdfs}"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cluster):
            return False
        return (self.pods, self.job_stage_flag) == (other.pods, other.job_stage_flag)

    __hash__ = None  # type: ignore[assignment]

    def update_pods(self, cluster: Cluster) -> None:
        """Take over the machines of another cluster."""
        self.pods = copy.copy(cluster.pods)

    def trainers_nranks(self) -> int:
        """Return the number of processes."""
        return len(self.trainers_endpoints())

    def pods_nranks(self) -> int:
        """Return the number of machines."""
        return len(self.pods)

    def trainers_endpoints(self) -> list[Any]:
        """Return the `host:port` of every process."""
        return [trainer.endpoint for pod in self.pods for trainer in pod.trainers]

    def pods_endpoints(self) -> list[str]:
        """Return the `host:port` of every machine.

        Raises:
            AssertionError: one has no address or port.
        """
        for pod in self.pods:
            assert pod.addr is not None and pod.port is not None, (
                f"{pod.addr}:{pod.port} not a valid endpoint"
            )
        return [f"{pod.addr}:{pod.port}" for pod in self.pods]

    def get_pod_by_id(self, pod_id: object) -> Pod | None:
        """Return the machine of an id, None if there is none."""
        return next((pod for pod in self.pods if str(pod.id) == str(pod_id)), None)


def get_cluster(
    node_ips: list[str],
    node_ip: str,
    trainer_endpoints: list[list[str]],
    selected_gpus: Sequence[Any],
) -> tuple[Cluster, Pod]:
    """Return a job of one process for each GPU, and this machine's part of it.

    Same as Paddle 1.8.

    Args:
        node_ips: addresses of all machines.
        node_ip: which of them is this one.
        trainer_endpoints: for each machine, the `host:port` of its processes, at least as many as
            GPUs.
        selected_gpus: the GPUs of each machine.

    Raises:
        AssertionError: `trainer_endpoints` is no list, or has too few for a machine.
        ValueError: `node_ip` is not among `node_ips`.
    """
    assert type(trainer_endpoints) is list, "`trainer_endpoints` must be a list."
    cluster = Cluster(hdfs=None)
    for node_rank, ip in enumerate(node_ips):
        endpoints = trainer_endpoints[node_rank]
        assert len(endpoints) >= len(selected_gpus), (
            f"`trainer_endpoints`: {ip} has {len(endpoints)}, but there are {len(selected_gpus)} "
            "`selected_gpus`."
        )
        pod = Pod()
        pod.rank, pod.addr = node_rank, ip
        # as many endpoints as GPUs: there may be more on a cloud
        for gpu, endpoint in zip(selected_gpus, endpoints, strict=False):
            trainer = Trainer()
            trainer.gpus.append(gpu)
            trainer.endpoint = str(endpoint)
            trainer.rank = cluster.trainers_nranks() + len(pod.trainers)
            pod.trainers.append(trainer)
        cluster.pods.append(pod)
    return cluster, cluster.pods[node_ips.index(node_ip)]


# --- odds and ends ------------------------------------------------------------------------------


def get_logger(log_level: int | str, name: str = "root") -> logging.Logger:
    """Return a logger that writes to stderr with time and place. Same as Paddle 1.8."""
    named = logging.getLogger(name)
    named.setLevel(log_level)
    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter("%(levelname)s %(asctime)s %(filename)s:%(lineno)d] %(message)s")
    )
    named.addHandler(handler)
    return named


def add_arguments(
    argname: str,
    type: Callable[[str], Any],
    default: Any,
    help: str,
    argparser: argparse.ArgumentParser,
    **kwargs: Any,
) -> None:
    """Add an option to a parser, with its default in the help.

    Differs from Paddle: `type=bool` works, and reads yes and no as 1 and 0; there it raises
    NameError.

    Args:
        argname: the option without its dashes.
        type: makes a value of the text.
        default: the value without the option.
        help: what it is for.
        argparser: where it belongs.
        **kwargs: as for `add_argument` of the parser.
    """
    argparser.add_argument(
        "--" + argname,
        default=default,
        type=_truth if type is bool else type,
        help=help + " Default: %(default)s.",
        **kwargs,
    )


def _truth(text: str) -> int:
    """Read a truth value as 1 or 0."""
    if text.lower() not in _WORDS:
        raise ValueError(f"invalid truth value {text!r}")
    return _WORDS[text.lower()]


def find_free_ports(num: int) -> set[int]:
    """Return `num` ports of this machine that nobody uses at the moment.

    Differs from Paddle: all are held until the last is found, so that there are always enough.
    """
    with contextlib.ExitStack() as held:
        ports = set()
        for _ in range(num):
            probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            probe.bind(("", 0))
            ports.add(probe.getsockname()[1])
    return ports


def get_host_name_ip() -> tuple[str, str] | None:
    """Return this machine's name and address, None if they cannot be told. Same as Paddle 1.8."""
    try:
        name = socket.gethostname()
        return name, socket.gethostbyname(name)
    except OSError:
        return None


# --- processes ----------------------------------------------------------------------------------


class TrainerProc:
    """A process that was started: the process, its log, its rank, its command line."""

    def __init__(self) -> None:
        self.proc: Any = None
        self.log_fn: IO[Any] | None = None
        self.rank: int | None = None
        self.cmd: list[str] | None = None


def start_local_trainers(
    cluster: Cluster,
    pod: Pod,
    training_script: str,
    training_script_args: Sequence[str],
    log_dir: str | None = None,
) -> list[TrainerProc]:
    """Start this machine's processes, each with its rank in the environment.

    Same as Paddle 1.8; each runs under `python -m refluid`.

    Args:
        cluster: the whole job.
        pod: this machine's part.
        training_script: the program.
        training_script_args: its arguments.
        log_dir: folder for a file workerlog.N of each process, which is appended to.

    Effects: starts processes, which the caller has to watch and to end.
    """
    if log_dir is not None:
        Path(log_dir).mkdir(parents=True, exist_ok=True)
    started = []
    for index, trainer in enumerate(pod.trainers):
        variables = {
            "FLAGS_selected_gpus": ",".join(str(gpu) for gpu in trainer.gpus),
            "PADDLE_TRAINER_ID": str(trainer.rank),
            "PADDLE_CURRENT_ENDPOINT": str(trainer.endpoint),
            "PADDLE_TRAINERS_NUM": str(cluster.trainers_nranks()),
            "PADDLE_TRAINER_ENDPOINTS": ",".join(cluster.trainers_endpoints()),
        }
        process = TrainerProc()
        process.rank = trainer.rank
        process.cmd = [
            sys.executable, "-u", "-m", "refluid", training_script, *training_script_args
        ]  # fmt: skip
        if log_dir is not None:
            process.log_fn = Path(log_dir, f"workerlog.{index}").open("a")
        logger.info("start trainer proc:%s env:%s", process.cmd, variables)
        process.proc = subprocess.Popen(
            process.cmd,
            env=env.worker_environment(variables),
            stdout=process.log_fn,
            stderr=process.log_fn,
        )
        started.append(process)
    return started


def terminate_local_procs(procs: Sequence[TrainerProc]) -> None:
    """End processes: politely, and after some seconds by force. Same as Paddle 1.8."""
    for process in procs:
        if process.proc.poll() is None:
            process.proc.terminate()
    for process in procs:
        try:
            process.proc.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.proc.kill()
            process.proc.wait()
        if process.log_fn is not None:
            process.log_fn.close()
    logger.info("terminate all the procs")


def watch_local_trainers(procs: Sequence[TrainerProc], nranks: int) -> bool:
    """Return whether a process is still running; to be called again and again.

    Same as Paddle 1.8.

    Args:
        procs: from `start_local_trainers`.
        nranks: the number of all processes, for the message.

    Raises:
        SystemExit: one has failed; all others were ended, and the status is 1.
    """
    statuses = [process.proc.poll() for process in procs]
    failed = [process.rank for process, status in zip(procs, statuses, strict=True) if status]
    if failed:
        logger.error(
            "ABORT!!! Out of all %s trainers, the trainer process with rank=%s was aborted. "
            "Please check its log.", nranks, failed
        )  # fmt: skip
        terminate_local_procs(procs)
        sys.exit(1)
    return None in statuses
