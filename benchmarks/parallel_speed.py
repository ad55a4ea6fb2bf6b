"""Time the course's training step in one process and in several, of one thread each.

    python benchmarks/parallel_speed.py [--processes 2] [--rounds 7] [--steps 60] [--batch 200]
        [--out FOLDER]

The batch is that of all processes together, so each step does the same work. One process and
several take turns, started anew each time, so that whatever else the machine does falls on both
alike. What is compared are the medians of the rounds. The table is printed and written to
benchmarks/parallel-speed_<machine>_<date>.md.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
WORKER = str(FOLDER / "contenders" / "parallel.py")
REFLUID = [sys.executable, "-m", "refluid"]
LAUNCH = [*REFLUID, "-m", "paddle.distributed.launch", "--print_config=no"]


def measure(num_processes: int, steps: int, batch: int) -> tuple[float, float]:
    """Run the program; return the seconds of a step, and of the whole execution."""
    front = REFLUID
    if num_processes > 1:
        front = [*LAUNCH, f"--nproc_per_node={num_processes}"]
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    began = time.perf_counter()
    done = subprocess.run(
        [*front, WORKER, str(steps), str(batch)],
        env=dict(os.environ, **dict.fromkeys(names, "1")),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    whole = time.perf_counter() - began
    return float(done.stdout.split("step ")[-1]), whole


def table(found: dict[int, list[tuple[float, float]]], args: argparse.Namespace) -> str:
    """Return what was measured as Markdown."""
    date = datetime.date.today().isoformat()
    lines = [
        f"# The course's training step in several processes, {date}",
        "",
        f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, one "
        f"thread for each process; {args.rounds} rounds of {args.steps} steps, in turns; batch "
        f"{args.batch} in all, Adam, gloo.",
        f"`python benchmarks/parallel_speed.py --processes {args.processes} --rounds {args.rounds} "
        f"--steps {args.steps} --batch {args.batch}`",
        "",
        "| processes | ms a step, median | min | max | faster by | start and end, s |",
        "|---|---|---|---|---|---|",
    ]
    base = statistics.median(step for step, _ in found[1])
    for count, rounds in found.items():
        steps = [1000 * step for step, _ in rounds]
        # what is not a step: 10 of them warm up
        rest = statistics.median(whole - (args.steps + 10) * step for step, whole in rounds)
        median = statistics.median(steps)
        lines.append(
            f"| {count} | {median:.2f} | {min(steps):.2f} | {max(steps):.2f} "
            f"| {1000 * base / median:.2f} | {rest:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--out", type=Path, default=FOLDER)
    args = parser.parse_args()
    found: dict[int, list[tuple[float, float]]] = {1: [], args.processes: []}
    for _ in range(args.rounds):
        for count, rounds in found.items():
            rounds.append(measure(count, args.steps, args.batch))
    text = table(found, args)
    print(text)
    name = f"parallel-speed_{platform.machine()}-{os.cpu_count()}-cores_{datetime.date.today()}.md"
    (args.out / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
