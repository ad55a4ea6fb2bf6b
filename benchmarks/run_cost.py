"""What `refluid.Run` costs: a step without saving, saving, and the longest stall.

    python benchmarks/run_cost.py [--rounds 15] [--steps 100] [--out benchmarks]

Bare loops first: the same empty step by hand, in a Run that logs two metrics, and the same over a
function's generator, which is replayed and therefore hashed. Then the course's network with
dropout, random shifts and Adam: by hand, in a Run that does not save, in one over a generator, and
in one that saves every 50 steps, taking turns in one process; medians of the rounds' own ratios. A
stall is the time between two steps of the loop, in which everything that `Run` does for a step is
done. An epoch has as many images as MNIST: a run saves at the end of each.
"""

import argparse
import contextlib
import datetime
import functools
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

import refluid

BATCH_SIZE, SAMPLES = 100, 60_000


def shifted(sample: list[torch.Tensor]) -> list[torch.Tensor]:
    """Shift an image by up to two pixels."""
    image, label = sample
    return [torch.roll(image, (random.randint(-2, 2), random.randint(-2, 2)), (1, 2)), label]


def batches(
    transform: Callable[[list[torch.Tensor]], list[torch.Tensor]] | None,
) -> refluid.Batches:
    """Return batches of random images."""
    return refluid.Batches(images(), BATCH_SIZE, shuffle=True, seed=1, transform=transform)


@functools.cache
def images() -> tuple[torch.Tensor, torch.Tensor]:
    """Return random images, the same each time, and labels."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(SAMPLES, 1, 28, 28, generator=generator)
    return pixels, torch.randint(0, 10, (SAMPLES,), generator=generator)


class Training:
    """The course's network and what trains it."""

    def __init__(self) -> None:
        torch.manual_seed(1)
        self.model = nn.Sequential(
            nn.Conv2d(1, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(20, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.2), nn.Linear(980, 10),
        )  # fmt: skip
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.001)

    def step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        """Train on one batch and return the loss."""
        images, labels = batch
        loss = functional.cross_entropy(self.model(images), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss


def by_hand() -> Iterator[float]:
    """Train without a run; each yield ends a step."""
    training = Training()
    data = batches(shifted)
    while True:
        for batch in data:
            training.step(batch)
            yield 0.0


def in_run(folder: Path, source: object, save_every_steps: int | None = None) -> Iterator[float]:
    """Train in a run; each yield ends a step and tells how long the run itself took before it."""
    training = Training()
    with refluid.Run(folder, save_every_s=None, save_every_steps=save_every_steps) as run:
        run.track(model=training.model, optimizer=training.optimizer)
        steps = iter(run.steps(source, epochs=10**6))
        step = next(steps)
        while True:
            loss = training.step(step.batch)
            run.log(loss=loss, accuracy=0.5)
            started = time.perf_counter()
            step = next(steps)
            yield time.perf_counter() - started


def empty_step_us(folder: Path, steps: int) -> dict[str, float]:
    """Return microseconds a step of loops that train nothing."""
    data = batches(None)
    epochs = -(-steps // len(data))
    loss = torch.zeros(())

    def timed(loop: Callable[[], None]) -> float:
        started = time.perf_counter()
        loop()
        return 1e6 * (time.perf_counter() - started) / (epochs * len(data))

    def hand() -> None:
        for _ in range(epochs):
            for _batch in data:
                loss.item()

    def given() -> Iterator[object]:
        yield from batches(None)

    def run(name: str, source: object) -> None:
        with refluid.Run(folder / name, save_every_s=None) as run:
            run.track(loss=loss)
            for _step in run.steps(source, epochs=epochs):
                run.log(loss=loss, accuracy=0.5)

    found: dict[str, list[float]] = {"by hand": [], "Run": [], "Run, a generator": []}
    for number in range(5):
        found["by hand"].append(timed(hand))
        found["Run"].append(timed(lambda n=number: run(f"b{n}", batches(None))))
        found["Run, a generator"].append(timed(lambda n=number: run(f"g{n}", given)))
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    """Measure, print and write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=100, help="of each loop in a round")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty = empty_step_us(folder, 2000)
        loops = {
            "by hand": by_hand(),
            "Run": in_run(folder / "run", batches(shifted)),
            "Run, a generator": in_run(folder / "generator", lambda: iter(batches(shifted))),
            "Run, saving every 50 steps": in_run(folder / "saving", batches(shifted), 50),
        }
        seconds: dict[str, list[float]] = {name: [] for name in loops}
        stalls: dict[str, list[float]] = {name: [] for name in loops}
        with contextlib.ExitStack() as stack:
            for loop in loops.values():
                stack.callback(loop.close)  # type: ignore[attr-defined]
            for number in range(-1, args.rounds):
                for name, loop in loops.items():
                    started = time.perf_counter()
                    found = [next(loop) for _ in range(args.steps)]
                    if number >= 0:
                        seconds[name].append((time.perf_counter() - started) / args.steps)
                        stalls[name] += found
                print(f"\rround {max(number + 1, 0)} of {args.rounds}", end="", file=sys.stderr)
        print(file=sys.stderr)

    lines = ["| an empty step | microseconds | over the loop by hand |", "|---|---|---|"]
    for name, us in empty.items():
        lines.append(f"| {name} | {us:.0f} | {us - empty['by hand']:.0f} |")
    lines += ["", "| the course's step | ms, median | by hand = 1 | longest stall, ms |"]
    lines.append("|---|---|---|---|")
    for name, values in seconds.items():
        ratios = [t / u for t, u in zip(values, seconds["by hand"], strict=True)]
        lines.append(
            f"| {name} | {1000 * statistics.median(values):.2f} "
            f"| {statistics.median(ratios):.3f} | {1000 * max(stalls[name]):.1f} |"
        )
    today = datetime.date.today().isoformat()
    machine = f"{platform.machine()}-{os.cpu_count()}-cores"
    text = (
        f"# What a Run costs, {today}\n\n"
        f"{platform.platform()}, Python {platform.python_version()}, torch {torch.__version__}.\n"
        f"`python benchmarks/run_cost.py --rounds {args.rounds} --steps {args.steps}`; stalls "
        "include making the next batch.\n\n" + "\n".join(lines) + "\n"
    )
    print(text)
    (args.out / f"run-cost_{machine}_{today}.md").write_text(text)


if __name__ == "__main__":
    main()
