"""Parameter servers with real trainers, servers and Ray."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from refluid import env

pytest.importorskip("ray", reason="Ray, the engine of the parameter servers, is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

NUM_STEPS = 30
CLUSTER = """
import sys
from refluid.distributed.server.cluster import started

with started() as address:
    print(address, flush=True)
    sys.stdin.read()
"""
# A launcher reduced to what the servers need: it starts a trainer again that was killed.
LAUNCHER = """
import functools, json, os, subprocess, sys
from refluid import env
from refluid.distributed.server import ServerPlan, Servers
from store import open_store

plan = ServerPlan(**json.loads(sys.argv[1]))
lives = [0] * plan.num_trainers

def start(rank):
    variables = {"RANK": str(rank), "WORLD_SIZE": str(plan.num_trainers)}
    variables[env.RESTARTS] = str(lives[rank])
    variables |= servers.environment
    lives[rank] += 1
    return subprocess.Popen([sys.executable, *sys.argv[2:]], env=env.worker_environment(variables))

with Servers(plan, functools.partial(open_store, os.path.abspath("store"))) as servers:
    assert not {"torch", "ray"} & set(sys.modules)
    trainers = {start(rank).pid: rank for rank in range(plan.num_trainers)}
    failed = 0
    while trainers:
        pid, status = os.wait()
        if pid not in trainers:
            continue
        rank = trainers.pop(pid)
        if os.WIFSIGNALED(status):
            servers.lost(rank)
            trainers[start(rank).pid] = rank
        failed |= os.waitstatus_to_exitcode(status) > 0
sys.exit(failed)
"""
STORE = """
from pathlib import Path

def open_store(folder, name):
    # only the servers need it
    from refluid.checkpoint.store import Store
    return Store(Path(folder, name), "server")
"""
PROGRAM = """
import os, signal, sys
import torch
from torch.nn.functional import cross_entropy
from refluid import env
from refluid.distributed.server import serve

what, num_steps = sys.argv[1], int(sys.argv[2])
rank, size, first_life = env.rank(), env.world_size(), env.num_restarts() == 0
torch.manual_seed(rank)
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
serve(model, optimizer)
schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)
numbers = torch.Generator().manual_seed(0)
print(f"rank {rank} begins", flush=True)
for step in range(num_steps):
    if step < 12 and not first_life and what == "kill-sync":
        continue
    x = torch.randn(8, 8, generator=numbers)
    y = torch.randint(0, 4, (8,), generator=numbers)
    share = slice(rank * 8 // size, (rank + 1) * 8 // size)
    optimizer.zero_grad()
    cross_entropy(model(x[share]), y[share]).backward()
    if step == 12 and rank == 1 and first_life and what.startswith("kill-"):
        os.kill(os.getpid(), signal.SIGKILL)
    if step == 12 and rank == 1 and what == "lose-server":
        import ray
        ray.kill(ray.get_actor("server-1"), no_restart=False)
    optimizer.step()
    schedule.step()
    with torch.no_grad():
        loss = cross_entropy(model(x), y).item()
    if rank == 0:
        print("loss", loss.hex(), flush=True)
found = [v.double().sum().item() for s in optimizer.state_dict()["state"].values()
           for v in s.values()]
if rank == 0:
    print("moments", *map(float.hex, found))
print(f"rank {rank} ends", flush=True)
"""


@pytest.fixture(scope="module")
def cluster():
    """The address of a Ray cluster that was started beforehand, and the variables to enter it."""
    command, variables = [sys.executable, "-c", CLUSTER], env.own_ray()
    with subprocess.Popen(
        command, env={**os.environ, **variables}, stdin=PIPE, stdout=PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip(), variables
        process.stdin.close()


def launch(folder: Path, what: str, num_steps: int = NUM_STEPS, *, cluster=(None, {}), **plan):
    (folder / "launcher.py").write_text(LAUNCHER)
    (folder / "store.py").write_text(STORE)
    (folder / "program.py").write_text(PROGRAM)
    given = json.dumps({"num_servers": 2, "num_trainers": 2, "address": cluster[0], **plan})
    arguments = [sys.executable, "launcher.py", given, "program.py", what, str(num_steps)]
    source = Path(__file__).parents[2] / "src"
    # Ray's actors import the store from here
    variables = {"PYTHONPATH": f"{source}:{folder}", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        arguments,
        cwd=folder,
        env={**os.environ, **variables, **cluster[1]},
        stdout=PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process) -> str:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output


def losses(output: str) -> list[str]:
    return re.findall(r"^loss (\S+)$", output, re.MULTILINE)


def moments(output: str) -> list[str]:
    return re.findall(r"^moments (.+)$", output, re.MULTILINE)[0].split()


def alone(folder: Path) -> str:
    """What the program prints without a launcher."""
    (folder / "program.py").write_text(PROGRAM)
    command = [sys.executable, "program.py", "plain", str(NUM_STEPS)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def processes(which: str, number: int) -> list[int]:
    """The processes whose parent, or whose session, is that of a number."""
    place = {"parent": 1, "session": 3}[which]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # after the name, which is in brackets
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[place]) == number:
                found.append(int(entry.name))
    return found


def wait_for_end(pids: list[int], seconds: float) -> list[int]:
    """Wait until processes have ended; return those that have not."""
    left = []
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if not select.select([descriptor], [], [], seconds)[0]:
            left.append(pid)
        os.close(descriptor)
    return left


def test_sync_trains_as_one_process_does_although_a_server_is_killed(cluster, tmp_path):
    one = alone(tmp_path)
    two = finish(launch(tmp_path, "lose-server", cluster=cluster, save_every_steps=1))
    assert "server 1 was lost and has come back from its checkpoint of step 12" in two
    for found, expected in ((losses(two), losses(one)), (moments(two), moments(one))):
        assert len(found) == len(expected) > 0
        for a, b in zip(found, expected, strict=True):
            assert float.fromhex(a) == pytest.approx(float.fromhex(b), abs=1e-5)


def test_sync_waits_for_a_killed_trainer_and_goes_on_when_it_is_started_again(cluster, tmp_path):
    # started again, it makes only the steps that are left, as `refluid.Run` would have it
    output = finish(launch(tmp_path, "kill-sync", 20, cluster=cluster, num_servers=1))
    assert output.count("rank 1 begins") == 2
    assert output.count("ends") == 2
    assert len(losses(output)) == 20


def test_async_goes_on_without_a_trainer_and_nothing_outlives_a_killed_launcher(tmp_path):
    launcher = launch(tmp_path, "kill-async", 10**6, mode="async")
    assert launcher.stdout is not None
    lines = []
    for line in launcher.stdout:
        lines.append(line)
        if lines.count("rank 1 begins\n") == 2:
            break
    # far more than the 12 of the other one and the staleness
    assert len(losses("".join(lines))) > 30
    children = processes("parent", launcher.pid)
    (head,) = [pid for pid in children if os.getsid(pid) == pid]
    # Ray's: two servers, and some that Ray itself needs
    pids = processes("session", head)
    assert len(pids) > 6
    launcher.send_signal(signal.SIGKILL)
    for pid in children:
        if pid != head:
            # the trainers end with the real launcher, whose own tests see to that
            os.kill(pid, signal.SIGKILL)
    launcher.wait()
    launcher.stdout.close()
    assert wait_for_end(pids, 20) == []
    # also what Ray was just about to start
    assert wait_for_end(processes("session", head), 20) == []
