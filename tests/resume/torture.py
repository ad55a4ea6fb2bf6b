"""Kill the workload 200 times, and the course's program too: the long form of `test_verify.py`.

Prints one table, and with `--out` writes it to a Markdown file as well. Ends with 1 if anything
differs, or if fewer kills than a quarter came in the middle of saving.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from refluid.proof.outcome import Kill, Outcome, Reference
from refluid.proof.proof import Proof

FOLDER = Path(__file__).parent
WORKLOAD = (sys.executable, str(FOLDER / "workload.py"))
COURSE = (sys.executable, "-m", "refluid", str(FOLDER / "course.py"))
LAUNCH = (sys.executable, "-c", "from refluid.cli import main; main()", "launch")
STEPS_PER_EPOCH = {"workload": 60, "course": 6} | dict.fromkeys(
    ("2 processes", "4 processes", "2 trainers and 2 servers"), 61
)
# the course's program is run beside the 200 kills of the workload
PROGRAMS = {
    f"workload, {optimizer}, {workers} workers": (
        *WORKLOAD,
        *("--optimizer", optimizer, "--workers", str(workers)),
    )
    for optimizer in ("adam", "momentum")
    for workers in (0, 2)
} | {
    "course, load_data": COURSE,
    "course, paddle.reader.shuffle": (*COURSE, "decorated"),
    "2 processes, adam": (*LAUNCH, "--nproc", "2", str(FOLDER / "ranks.py")),
    "4 processes, momentum": (
        *LAUNCH,
        *("--nproc", "4", str(FOLDER / "ranks.py"), "--optimizer", "momentum"),
    ),
}
if find_spec("ray"):
    PROGRAMS["2 trainers and 2 servers, adam"] = (
        *LAUNCH,
        *("--mode", "ps", "--servers", "2", "--trainers", "2"),
        *(str(FOLDER / "ranks.py"), "--served"),
    )
HEAD = (
    "program",
    "kills",
    "while saving",
    "at an epoch's end",
    "no step between",
    "resumed",
    "steps done again: median, most",
    "first difference",
)


class Lines:
    """Prints a line for each round; a `Witness`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def referred(self, reference: Reference) -> None:
        print(
            f"{self._name}: {reference.num_steps} steps, {reference.training_s:.1f} s, "
            f"{1000 * reference.save_s:.1f} ms for a save",
            flush=True,
        )

    def killed(self, kill: Kill) -> None:
        pass

    def compared(self, number: int, num_kills: int) -> None:
        print(f"{self._name}: round {number}, {num_kills} kills, the same bits", flush=True)


def row(name: str, outcome: Outcome) -> tuple[str, ...]:
    per_epoch = STEPS_PER_EPOCH[name.partition(",")[0]]
    kills, again = outcome.kills, outcome.done_again or [0]
    at_end = sum(kill.num_steps > 0 and kill.num_steps % per_epoch == 0 for kill in kills)
    return (
        name,
        str(len(kills)),
        str(sum(kill.saving for kill in kills)),
        str(at_end),
        str(sum(kill.again for kill in kills)),
        str(len(outcome.resumed_from)),
        f"{statistics.median(again):g}, {max(again)}",
        "none" if outcome.finding is None else "below",
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(HEAD)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (HEAD, rule, *rows))


def report(outcomes: dict[str, Outcome], took_s: float) -> str:
    findings = [
        f"{name}: {outcome.finding}" for name, outcome in outcomes.items() if outcome.finding
    ]
    where = (
        f"{took_s / 60:.0f} minutes on {os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}"
    )
    rows = [row(name, outcome) for name, outcome in outcomes.items()]
    return "\n\n".join([table(rows), *findings, where])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="for each program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="programs whose name contains this")
    parser.add_argument("--out", type=Path, help="a Markdown file")
    args = parser.parse_args()
    began_s = time.monotonic()
    outcomes: dict[str, Outcome] = {}
    for name, command in PROGRAMS.items():
        if args.only in name:
            with tempfile.TemporaryDirectory(prefix="refluid-torture-") as folder:
                proof = Proof(command, args.kills, args.seed, Path(folder), Lines(name))
                outcomes[name] = proof.run()
                print(table([row(name, outcomes[name])]), flush=True)
    text = report(outcomes, time.monotonic() - began_s)
    print(text)
    if args.out is not None:
        arguments = f"--kills {args.kills} --seed {args.seed}"
        args.out.write_text(f'`make torture ARGS="{arguments}"`\n\n{text}\n', encoding="utf-8")
    kills = [kill for outcome in outcomes.values() for kill in outcome.kills]
    too_few = 4 * sum(kill.saving for kill in kills) < len(kills)
    sys.exit(too_few or any(outcome.finding for outcome in outcomes.values()))


if __name__ == "__main__":
    main()
