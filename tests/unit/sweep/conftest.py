"""A program for trials: it writes what `Run` writes, but loads no torch, so that it starts fast."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from refluid.sweep.command import Command
from refluid.sweep.ledger import Plan, Trial
from refluid.sweep.space import read_parameters

# a metric of every step, from where it was stopped; how it goes wrong is an option
PROGRAM = """
import argparse, os, signal, subprocess, sys, time
from pathlib import Path
from refluid.observe.journal.journal import Journal

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float, default=0.5)
parser.add_argument("--mode", default="well")
parser.add_argument("--steps", type=int, default=5)
parser.add_argument("--pause", type=float, default=0)
given = parser.parse_args()
if given.mode == "fails":
    sys.exit("the \\x1b[31m disk is full")
run = Path(os.environ["REFLUID_RUNS"], "runs", "x")
assert "REFLUID_DIGESTS" not in os.environ
run.mkdir(parents=True, exist_ok=True)
journal = Journal(run / "run.sqlite")
journal.open()
with (run / "starts").open("a") as file:
    print(os.getpid(), flush=True, file=file)
last = journal.last_step()
first = 0 if last is None else last + 1
asked = []
if given.mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
if given.mode == "asks":
    asked.append(1)
if given.mode == "leaves":
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(100)"])
    (run / "child").write_text(str(child.pid))
for step in range(first, given.steps):
    time.sleep(given.pause)
    value = {"nan": float("nan")}.get(given.mode, 1 - (given.x - 0.3) ** 2 + step / 1000)
    name = "loss" if given.mode == "silent" else "valid_accuracy"
    journal.append([(step, name, value)])
    if asked:
        print("it stops")
        sys.exit(75)
journal.close()
if given.mode == "twice":
    other = Journal(run.with_name("y") / "run.sqlite")
    other.path.parent.mkdir()
    other.open()
    other.append([(0, "valid_accuracy", 1.0)])
    other.close()
"""


class Noting:
    """A `Witness` that keeps what it is told, and does something when a trial begins."""

    def __init__(self, at_begin=lambda: None) -> None:
        self.opened_with: list[Trial] = []
        self.begun: list[tuple[int, bool]] = []
        self.done: list[Trial] = []
        self.tested: list[int] = []
        self._at_begin = at_begin

    def opened(self, trials: Sequence[Trial]) -> None:
        self.opened_with = list(trials)

    def began(self, trial: Trial, again: bool) -> None:
        self.begun.append((trial.number, again))
        self._at_begin()

    def ended(self, trial: Trial, trials: Sequence[Trial]) -> None:
        assert trials[-1] == trial
        self.done.append(trial)

    def testing(self, trial: Trial) -> None:
        self.tested.append(trial.number)


@pytest.fixture
def noting() -> type[Noting]:
    return Noting


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def plan(program):
    """Return a function that makes a plan of options that are tried, and words of the command."""

    def make(*tried: str, words: Sequence[str] = (), minimize=False, seed=1) -> Plan:
        return Plan(
            command=Command((sys.executable, str(program), *words)),
            parameters=read_parameters(tried),
            metric="valid_accuracy",
            minimize=minimize,
            seed=seed,
        )

    return make
