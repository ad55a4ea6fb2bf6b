"""Start a program as several processes that train together, here and on other machines.

torch's elastic agent was tried for this and left: it imports torch before the first process of the
program begins to, which makes every start wait for that twice; it shows another process's error, of
a lost connection, where that process happens to end first; and what it has started outlives it
when it is killed. Its conventions are kept, so that a program finds the variables that torch reads
as well as those that Paddle reads. What moves data between the processes is torch.distributed.

Every process runs under `python -m refluid`, so `import paddle` works. Processes find each other by
the address of rank 0: on one machine a free port of the loopback interface, else `master`.
May import: env, errors, port, supervisor.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from refluid import env
from refluid.distributed.port import interface_towards, parse_endpoint, reserve
from refluid.distributed.server.servers import Servers
from refluid.distributed.supervisor import Program, Supervisor, say
from refluid.errors import DistributedError

__all__ = ["DEFAULT_TIMEOUT_S", "Launch", "run"]

DEFAULT_TIMEOUT_S = 300.0
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What is started.

    Args:
        command: a script or `-m` and a module, and its arguments.
        num_processes: how many processes on this node.
        num_nodes: on how many nodes there are so many.
        node_rank: which of them this is, from 0.
        master: `HOST:PORT` where rank 0 listens; needed with several nodes.
        endpoints: `HOST:PORT` of every process of all nodes; by default made of `master`.
        gpus: number of the GPU of each process here; by default 0, 1, 2, ...
        log_dir: folder for a file `workerlog.N` for each process; by default all print here.
        max_restarts: how often all are started again after one has failed.
        timeout_s: how long processes wait for each other.
        servers: parameter servers, which hold the model; then one that has failed is started again
            alone.

    Raises:
        DistributedError: a value is impossible.
    """

    command: Sequence[str]
    num_processes: int
    num_nodes: int = 1
    node_rank: int = 0
    master: str | None = None
    endpoints: Sequence[str] = ()
    gpus: Sequence[str] = ()
    log_dir: Path | None = None
    max_restarts: int = 0
    timeout_s: float = DEFAULT_TIMEOUT_S
    servers: Servers | None = None

    def __post_init__(self) -> None:
        for name, least in (("num_processes", 1), ("num_nodes", 1), ("max_restarts", 0)):
            value = getattr(self, name)
            if value < least:
                raise DistributedError(f"`{name}` must be at least {least}, but is {value}.")
        if not 0 <= self.node_rank < self.num_nodes:
            raise DistributedError(
                f"`node_rank` must be from 0 to {self.num_nodes - 1}, as there are "
                f"{self.num_nodes} nodes, but is {self.node_rank}."
            )
        if not self.timeout_s > 0:
            raise DistributedError(f"`timeout` must be above 0 s, but is {self.timeout_s:g}.")
        if self.num_nodes > 1 and not (self.master or self.endpoints):
            raise DistributedError(
                "`master` is missing: with several nodes, all must be told the HOST:PORT where "
                "rank 0 listens, an address of node 0."
            )
        self._check_script()

    def _check_script(self) -> None:
        if not self.command:
            raise DistributedError("the program is missing: name a script, and its arguments.")
        script = self.command[0]
        if not script.startswith("-") and not os.path.exists(script):
            raise DistributedError(f"there is no program {script!r} in {os.getcwd()}.")

    @property
    def world_size(self) -> int:
        """The number of processes on all nodes."""
        return self.num_nodes * self.num_processes


def run(launch: Launch) -> int:
    """Start the processes, and wait until all have ended.

    Args:
        launch: what is started.

    Returns:
        The exit status: 0 if every process came to its end; that of the process that failed first,
        128 and the signal's number if a signal has ended it; 75 if they have stopped where they can
        go on (`refluid.Run`).

    Raises:
        DistributedError: a port is in use or an address is not this machine's.

    Effects:
        Starts processes, and ends those that it has started however it ends itself. Binds ports,
        of the loopback interface unless `master` says otherwise. Writes log files if asked to.
        Notes SIGINT, SIGTERM, SIGHUP and SIGUSR1 and hands them on to the processes.
    """
    with contextlib.ExitStack() as stack:
        endpoints = _endpoints(launch, stack)
        threads = _threads(launch)
        variables: dict[str, str] = {}
        if launch.servers is not None:
            variables = stack.enter_context(launch.servers).environment
        programs = [
            Program(
                rank=launch.node_rank * launch.num_processes + k,
                arguments=[sys.executable, "-u", "-m", "refluid", *launch.command],
                environment={
                    **_environment(launch, endpoints, k, threads),
                    **variables,
                },
                log=launch.log_dir and launch.log_dir / f"workerlog.{k}",
            )
            for k in range(launch.num_processes)
        ]
        if launch.log_dir is not None:
            _make_folder(launch.log_dir)
        lost = None if launch.servers is None else launch.servers.lost
        return Supervisor(programs, launch.world_size, launch.max_restarts, lost).run()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DistributedError(
            f"`log_dir`: the folder {folder} cannot be made ({error.strerror}): choose another."
        ) from None


def _endpoints(launch: Launch, stack: contextlib.ExitStack) -> list[str]:
    """Return every process's `host:port`, rank 0's first; those of this node are reserved."""
    first = launch.node_rank * launch.num_processes
    here = range(first, first + launch.num_processes)
    if launch.endpoints:
        for rank in here:
            _keep(*parse_endpoint(launch.endpoints[rank], "endpoints"), stack)
        return list(launch.endpoints)
    if launch.master is not None:
        host, port = parse_endpoint(launch.master, "master")
        if launch.node_rank == 0:
            port = _keep(host, port, stack)
        # the ports of other nodes are never used: Paddle's programs want to see one for each rank
        own = [f"{host}:{port + k}" for k in range(launch.num_processes)]
        other = [
            f"node{node}:{port + k}"
            for node in range(1, launch.num_nodes)
            for k in range(launch.num_processes)
        ]
        return own + other
    return [f"{_LOOPBACK}:{_keep(_LOOPBACK, 0, stack)}" for _ in here]


def _keep(host: str, port: int, stack: contextlib.ExitStack) -> int:
    bound: socket.socket = stack.enter_context(reserve(host, port))
    return int(bound.getsockname()[1])


def _threads(launch: Launch) -> int | None:
    """Return how many threads each process uses, None if that is set already."""
    if env.num_threads() is not None or launch.num_processes == 1:
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = max(1, (cores or 1) // launch.num_processes)
    say(
        f"{launch.num_processes} processes share {cores} cores, so OMP_NUM_THREADS is {threads} "
        "for each; set it to have another number."
    )
    return threads


def _environment(
    launch: Launch, endpoints: Sequence[str], local_rank: int, threads: int | None
) -> dict[str, str]:
    rank = launch.node_rank * launch.num_processes + local_rank
    host, port = parse_endpoint(endpoints[0], "master")
    gpu = launch.gpus[local_rank] if launch.gpus else str(local_rank)
    variables = {
        "PADDLE_TRAINER_ID": str(rank),
        "PADDLE_TRAINERS_NUM": str(launch.world_size),
        "PADDLE_CURRENT_ENDPOINT": endpoints[rank],
        "PADDLE_TRAINER_ENDPOINTS": ",".join(endpoints),
        "FLAGS_selected_gpus": gpu,
        "RANK": str(rank),
        "WORLD_SIZE": str(launch.world_size),
        "LOCAL_RANK": str(local_rank),
        "LOCAL_WORLD_SIZE": str(launch.num_processes),
        "MASTER_ADDR": host,
        "MASTER_PORT": str(port),
        env.TIMEOUT: f"{launch.timeout_s:g}",
    }
    if threads is not None:
        variables[env.THREADS] = str(threads)
    interface = interface_towards(host)
    if interface is not None and env.gloo_interface() is None:
        variables[env.GLOO_INTERFACE] = interface
    return env.worker_environment(variables)
