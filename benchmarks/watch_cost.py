"""What watching a run costs: a training step with and without `refluid.observe.layers.Watch`.

    python benchmarks/watch_cost.py [--rounds 9] [--every 100] [--threads 2] [--out benchmarks]

The course's network (two 5x5 convolutions with 20 channels, ReLU, pooling, a linear layer; batch
100 of 28x28) with Adam, as a plain PyTorch program and as a fluid one. Each program exists twice,
watched and not; a round is `--every` steps of each, in blocks of ten that take turns, so that
whatever else the machine does falls on both alike. The share is the median over the rounds of
what the watched program took longer; beside it is what one watched step takes longer than the
median step without a watch, divided by `--every` such steps.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from refluid.observe.layers import Watch
from refluid.paddle import fluid
from refluid.train.network import DigitNetwork

BATCH = 100
BLOCK = 10


class Torch:
    """The network and its training, written for PyTorch."""

    name = "PyTorch"

    def __init__(self) -> None:
        torch.manual_seed(1)
        self.model = nn.Sequential(
            nn.Conv2d(1, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(20, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(980, 10),
        )  # fmt: skip
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.001)
        self.images = torch.rand(BATCH, 1, 28, 28)
        self.labels = torch.randint(0, 10, (BATCH,))

    def step(self) -> None:
        """Train on one batch."""
        loss = functional.cross_entropy(self.model(self.images), self.labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


class Fluid:
    """The same, as a fluid program."""

    name = "fluid"

    def __init__(self) -> None:
        torch.manual_seed(1)
        self.model = DigitNetwork((1, 28, 28))
        self.optimizer = fluid.optimizer.Adam(0.001, parameter_list=self.model.parameters())
        draw = np.random.default_rng(1)
        self.images = fluid.dygraph.to_variable(draw.random((BATCH, 1, 28, 28), np.float32))
        self.labels = fluid.dygraph.to_variable(draw.integers(10, size=(BATCH, 1)))

    def step(self) -> None:
        """Train on one batch."""
        cost = fluid.layers.cross_entropy(self.model(self.images), self.labels)
        loss = fluid.layers.mean(cost)
        loss.backward()
        self.optimizer.minimize(loss)
        self.model.clear_gradients()


def measure(make: Callable[[], Torch | Fluid], rounds: int, every: int) -> str:
    """Return a row of the table for one kind of program."""
    alone, watched = make(), make()
    watch = Watch(watched.model, watched.optimizer, every)
    shares, looks, plain = [], [], []
    for number in range(-1, rounds):
        seconds = {False: 0.0, True: 0.0}
        for first in range(0, every, BLOCK):
            for is_watched in (False, True) if number % 2 else (True, False):
                for step in range(first, min(first + BLOCK, every)):
                    started = time.perf_counter()
                    if is_watched:
                        watch.begin(step)
                        watched.step()
                        watch.end(step)
                    else:
                        alone.step()
                    took = time.perf_counter() - started
                    seconds[is_watched] += took
                    if number >= 0 and (step == 0 or not is_watched):
                        (looks if is_watched else plain).append(took)
        if number >= 0:
            shares.append(seconds[True] / seconds[False] - 1)
        print(f"\r{alone.name}: round {max(number + 1, 0)} of {rounds}", end="", file=sys.stderr)
    print(file=sys.stderr)
    step_s, look_s = statistics.median(plain), statistics.median(looks)
    return (
        f"| {alone.name} | {1000 * step_s:.2f} | {1000 * look_s:.2f} "
        f"| {(look_s - step_s) / (every * step_s):.2%} "
        f"| {statistics.median(shares):.2%} ({min(shares):.2%} to {max(shares):.2%}) |"
    )


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    with fluid.dygraph.guard():
        rows = [measure(make, args.rounds, args.every) for make in (Torch, Fluid)]
    today = datetime.date.today().isoformat()
    machine = f"{platform.machine()}-{args.threads}-threads"
    head = (
        "| program | a step, ms | a watched step, ms | cost from these | cost of whole rounds |\n"
        "|---|---|---|---|---|"
    )
    options = f"--rounds {args.rounds} --every {args.every} --threads {args.threads}"
    text = (
        f"# What watching a run costs, {today}\n\n"
        f"{platform.platform()}, Python {platform.python_version()}, torch {torch.__version__}.\n"
        f"`python benchmarks/watch_cost.py {options}`; medians; a look every {args.every} steps.\n"
        f"\n" + "\n".join([head, *rows]) + "\n"
    )
    print(text)
    (args.out / f"watch-cost_{machine}_{today}.md").write_text(text)


if __name__ == "__main__":
    main()
