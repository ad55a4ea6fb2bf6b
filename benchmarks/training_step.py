"""Time the course's training step side by side: refluid, PyTorch by hand, and Paddle itself.

    python benchmarks/training_step.py [--rounds 15] [--steps 20] [--threads 2]
        [--paddle18 PYTHON] [--paddle3 PYTHON] [--out FOLDER]

Every contender is one process that lives through the whole measurement; they take turns, with a
rest between them, so that whatever else the machine does falls on all of them alike. Each runs its
whole program: reader, forward pass, loss, accuracy, backward pass, Adam, decaying learning rate.
The table of medians and ratios is printed and written to
benchmarks/training-step_<machine>_<date>.md.

Paddle is measured where it is installed, each version in an environment of its own:

    python3.7 -m venv .paddle18 && .paddle18/bin/pip install paddlepaddle==1.8.5 'protobuf<3.21'
    python3.11 -m venv .paddle3 && .paddle3/bin/pip install paddlepaddle==3.3.1

in the project's folder, or elsewhere and named by the options.
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
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
WORKER = str(FOLDER / "contenders" / "worker.py")
# Paddle's threads go on spinning for 0.2 s after their work, which would fall on whoever is next
REST_S = 0.5


@dataclass
class Contender:
    """One program under one interpreter, and what was measured of it."""

    name: str
    command: list[str]
    seconds: list[float] = field(default_factory=list)
    peak_mib: float = 0.0

    def start(self, threads: int) -> None:
        """Start its process."""
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        environment = dict(os.environ, **dict.fromkeys(names, str(threads)))
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def ask(self, line: str) -> float:
        """Send a line to the process and return the number it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        # a contender's library may print a greeting first
        while answer := self._process.stdout.readline():
            try:
                return float(answer)
            except ValueError:
                continue
        raise SystemExit(f"{self.name} ended: {' '.join(self.command)}")

    def stop(self) -> None:
        """Ask for the peak memory and end the process."""
        self.peak_mib = self.ask("")
        self._process.communicate(timeout=60)


def measure(contenders: list[Contender], rounds: int, steps: int, threads: int) -> None:
    """Let the contenders take turns, after two rounds that do not count."""
    for contender in contenders:
        contender.start(threads)
    for number in range(-2, rounds):
        for contender in contenders:
            time.sleep(REST_S)
            seconds = contender.ask(str(steps))
            if number >= 0:
                contender.seconds.append(seconds / steps)
        print(f"\rround {max(number + 1, 0)} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for contender in contenders:
        contender.stop()


def table(contenders: list[Contender]) -> str:
    """Return the results as a Markdown table; ratios are medians of the rounds' own ratios."""
    ours = contenders[0]
    lines = [
        "| program | ms a step, median | min | max | refluid is faster by | peak memory, MiB |",
        "|---|---|---|---|---|---|",
    ]
    for c in contenders:
        ratios = [t / u for t, u in zip(c.seconds, ours.seconds, strict=True)]
        ms = [1000 * s for s in c.seconds]
        lines.append(
            f"| {c.name} | {statistics.median(ms):.1f} | {min(ms):.1f} | {max(ms):.1f} "
            f"| {statistics.median(ratios):.2f} | {c.peak_mib:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    for option in ("paddle18", "paddle3"):
        own = ROOT / f".{option}" / "bin" / "python"
        parser.add_argument(f"--{option}", default=str(own), help="its Python interpreter")
    parser.add_argument("--out", type=Path, default=FOLDER)
    args = parser.parse_args()

    contenders = [
        Contender("refluid", [sys.executable, "-m", "refluid", WORKER, "fluid"]),
        Contender("PyTorch, written by hand", [sys.executable, WORKER, "pytorch"]),
    ]
    for name, python, program in (
        ("PaddlePaddle 1.8.5", args.paddle18, "fluid"),
        ("PaddlePaddle 3.3.1", args.paddle3, "paddle3"),
    ):
        if Path(python).exists():
            contenders.append(Contender(name, [python, WORKER, program]))
        else:
            print(f"{name} is left out: {python} does not exist; --help says how to install it.")
    measure(contenders, args.rounds, args.steps, args.threads)

    today = datetime.date.today().isoformat()
    machine = f"{platform.machine()}-{args.threads}-threads"
    command = "python benchmarks/training_step.py"
    text = (
        f"# The course's training step, {today}\n\n"
        f"{platform.platform()}, Python {platform.python_version()}, {args.threads} threads; "
        f"{args.rounds} rounds of {args.steps} steps, batch 100, Adam, interleaved.\n"
        f"`{command} --rounds {args.rounds} --steps {args.steps} --threads {args.threads}`\n\n"
        f"{table(contenders)}\n"
    )
    print(text)
    path = args.out / f"training-step_{machine}_{today}.md"
    path.write_text(text)
    print(f"written to {path}")


if __name__ == "__main__":
    main()
