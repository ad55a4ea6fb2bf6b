"""Time training with a parameter server side by side: two trainers against one process.

    python benchmarks/server_speed.py [--rounds 5] [--steps 100] [--servers 1]

The documents' network is trained at a global batch of 200: by one process with all of it, and by
two trainers, in sync mode, with half of it each. Every process has one thread. The two take turns,
so that whatever else the machine does falls on both alike; each round starts them anew and leaves
the first steps out. Samples for each second and their ratio are printed; the ratio to reach on two
cores is 1.4.
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from refluid import env
from refluid.distributed.server import ServerPlan, Servers, serve

BATCH_SIZE = 200
NUM_TRAINERS = 2
NUM_LEFT_OUT = 10


def open_store(folder: str, name: str) -> Any:
    """Return where a server keeps its checkpoints."""
    # the servers alone need it
    from refluid.checkpoint.store import Store

    return Store(Path(folder, name), "server")


def train(num_steps: int) -> None:
    """Train in this process, and print the seconds of the steps that count."""
    # the measuring process needs none of it
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(20, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(980, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    serve(model, optimizer)
    share = BATCH_SIZE // env.world_size()
    images, labels = torch.rand(share, 1, 28, 28), torch.randint(0, 10, (share,))
    begin = 0.0
    for step in range(NUM_LEFT_OUT + num_steps):
        if step == NUM_LEFT_OUT:
            begin = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    print(time.perf_counter() - begin)


def start(num_steps: int, variables: dict[str, str]) -> subprocess.Popen[str]:
    """Start a process that trains."""
    return subprocess.Popen(
        [sys.executable, __file__, "--train", "--steps", str(num_steps)],
        env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        stdout=subprocess.PIPE,
        text=True,
    )


def speed(num_steps: int, processes: list[subprocess.Popen[str]]) -> float:
    """Wait for processes, and return how many samples they took in a second."""
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit("a process has failed; see above.")
    return num_steps * BATCH_SIZE / max(map(float, outputs))


def alone(num_steps: int) -> float:
    """Measure one process."""
    return speed(num_steps, [start(num_steps, {})])


def served(num_steps: int, num_servers: int) -> float:
    """Measure the trainers with their servers."""
    plan = ServerPlan(num_servers=num_servers, num_trainers=NUM_TRAINERS)
    # under a name that the servers can import
    from server_speed import open_store as importable

    with (
        tempfile.TemporaryDirectory() as folder,
        Servers(plan, functools.partial(importable, folder)) as servers,
    ):
        world = {"WORLD_SIZE": str(NUM_TRAINERS)}
        return speed(
            num_steps,
            [
                start(num_steps, {**servers.environment, **world, "RANK": str(rank)})
                for rank in range(NUM_TRAINERS)
            ],
        )


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.train:
        train(args.steps)
        return
    # for the servers, which import `open_store` from here
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    )
    ratios = []
    for number in range(args.rounds):
        one, two = alone(args.steps), served(args.steps, args.servers)
        ratios.append(two / one)
        print(
            f"round {number + 1}: one process {one:.0f} samples/s, {NUM_TRAINERS} trainers "
            f"{two:.0f}, ratio {two / one:.2f}",
            flush=True,
        )
    print(f"median ratio {statistics.median(ratios):.2f}, to reach 1.40")


if __name__ == "__main__":
    main()
