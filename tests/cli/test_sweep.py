"""`refluid sweep` as it is typed: what it says, and that a kill at any instant changes nothing."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from refluid.loop import RESUMABLE
from refluid.observe.journal.reader import JournalReader

pytestmark = pytest.mark.skipif(find_spec("optuna") is None, reason="optuna is not installed")

COMMAND = [sys.executable, "-c", "from refluid.cli import main; main()"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100", "TERM": "dumb"}

# gradient descent on a parabola, as a `Run`; each step takes a moment, so that there is one to be
# killed in
PARABOLA = """
import argparse, time, torch, refluid

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--l2", type=float)
given = parser.parse_args()
torch.manual_seed(1)
weight = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
optimizer = torch.optim.SGD([weight], lr=given.lr, momentum=0.5, weight_decay=given.l2)
with refluid.Run("parabola", save_every_steps=2) as run:
    run.track(weight=weight, optimizer=optimizer)
    for step in run.steps(list(range(20)), epochs=1):
        optimizer.zero_grad()
        loss = ((weight - torch.randn(2)) ** 2).sum()
        loss.backward()
        optimizer.step()
        run.log(loss=loss, valid_loss=((weight - 0.5) ** 2).sum())
        time.sleep(0.03)
"""
SWEEP = [
    *("sweep", "--try", "lr=0.001..1.0:log", "--try", "l2=0,0.01", "--trials", "3"),
    *("--metric", "valid_loss", "--minimize", "--out", "found"),
]


def refluid(folder: Path, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=290,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def processes_in(folder: Path) -> set[str]:
    """The processes that work in a folder."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(path / "cwd")) == folder:
                found.add(path.name)
        except OSError:
            continue
    return found


def until(condition) -> None:
    end_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.005)


def stopped_in(trial: int, num_steps: int, number: signal.Signals, folder: Path) -> tuple[int, str]:
    """Send a signal to a sweep in the middle of a trial; return its status and what it said."""
    with subprocess.Popen(
        [*COMMAND, *SWEEP, "--", sys.executable, "parabola.py"],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        saved = folder / "found" / f"trial-{trial:03}" / "parabola" / "checkpoints"
        until(lambda: any(saved.glob(f"step-*{num_steps:02}")) or process.poll() is not None)
        process.send_signal(number)
        said = process.communicate()[1]
    return process.returncode, said


@pytest.mark.slow
@pytest.mark.stress
@pytest.mark.timeout(600)
def test_sweep_that_is_killed_comes_to_the_same_table(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
        (folder / "parabola.py").write_text(PARABOLA)
    command = [*SWEEP, "--", sys.executable, "parabola.py"]
    shown = refluid(whole, *command).stdout
    status, _ = stopped_in(1, 8, signal.SIGKILL, killed)
    assert status == -signal.SIGKILL
    # nobody is there to end them: they end by themselves, and save
    until(lambda: not processes_in(killed))
    status, said = stopped_in(2, 4, signal.SIGTERM, killed)
    assert status == RESUMABLE
    assert "SIGTERM: the sweep stopped in trial 2, 1 of 3 trials have ended" in said
    assert processes_in(killed) == set()
    again = refluid(killed, *command).stdout
    assert "found goes on: 1 of 3 trials have ended" in again
    for name in ("sweep.csv", "sweep.json"):
        assert (killed / "found" / name).read_bytes() == (whole / "found" / name).read_bytes()
    # the table is the same to the last character, too
    tables = [text[text.index("\n trial") : text.index("\nbest")] for text in (shown, again)]
    assert tables[0] == tables[1]
    for trial, min_starts in ((1, 2), (2, 2), (3, 1)):
        curves = []
        for folder in (whole, killed):
            path = folder / "found" / f"trial-00{trial}" / "parabola" / "run.sqlite"
            with JournalReader(path) as journal:
                # times are not results
                names = [name for name in journal.names() if not name.endswith("_per_s")]
                curves.append(list(journal.metrics(names)))
                starts = [start.from_step for start in journal.starts()]
        assert curves[0] == curves[1]
        # gone on with, not begun anew
        assert len(starts) == min_starts
        assert all(step > 0 for step in starts[1:])
    complete = refluid(killed, *command).stdout
    assert "found is complete: 3 of 3 trials have ended" in complete


@pytest.mark.slow
@pytest.mark.stress
@pytest.mark.timeout(600)
def test_training_is_swept_and_the_winner_alone_tested(tmp_path):
    options = ("--try", "lr=0.0005,0.02", "--trials", "9")
    command = ("sweep", *options, "--out", "found", "--", "--epochs", "1", "--device", "cpu")
    shown = refluid(tmp_path, *command).stdout
    with (tmp_path / "found" / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    best = rows[0]
    assert float(best["valid_accuracy"]) == max(float(row["valid_accuracy"]) for row in rows)
    assert f"refluid train --epochs 1 --device cpu --lr {best['lr']}\n" in shown
    accuracy = re.search(r"^test accuracy +([\d.]+)%$", shown, re.M)
    assert accuracy is not None
    for row in rows:
        folder = tmp_path / "found" / f"trial-{int(row['trial']):03}"
        with JournalReader(folder / "runs" / "digits" / "run.sqlite") as journal:
            tested = journal.curve("test_accuracy")[1]
            starts = [start.from_step for start in journal.starts()]
        if row is best:
            # the second start had nothing left to train
            assert starts == [0, int(row["steps"])]
            assert f"{100 * tested[-1]:.2f}" == accuracy[1]
        else:
            assert starts == [0]
            assert len(tested) == 0
        assert "Test accuracy" not in (folder / "output.txt").read_text().partition("complete")[0]
    again = refluid(tmp_path, *command).stdout
    assert f"test accuracy {accuracy[1]}%\n" in again
    assert "found is complete" in again


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--try", "lr"), "`--try` takes an option and its values"),
        (("--try", "lr=1..2", "--", "--lr", "3"), "--lr is tried and stands in the command too"),
        (("--try", "lr=1..2", "--metric", "test_accuracy"), "cannot be tested by it any more"),
        (("--try", "lr=1..2", "nowhere"), "'nowhere' is not a program"),
        (("--try", "lr=1..2", "--trials", "0"), "'--trials'"),
        (("--", "train.py"), "Missing option '--try'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_begins(tmp_path, arguments, expected):
    done = refluid(tmp_path, "sweep", *arguments, expect=2)
    assert expected in " ".join(done.stderr.replace("│", " ").split())
    assert list(tmp_path.iterdir()) == []


def test_without_optuna_one_line_says_what_to_install(tmp_path):
    code = "import sys; sys.modules['optuna'] = None; from refluid.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "sweep", "--try", "lr=1..2"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert done.stderr == "refluid: `refluid sweep` needs Optuna: pip install 'refluid[sweep]'\n"
    assert list(tmp_path.iterdir()) == []


def test_help_teaches_and_loads_nothing_heavy(tmp_path):
    code = (
        "import sys\n"
        "from refluid.cli import main\n"
        "try: main()\n"
        "finally: print({'torch', 'numpy', 'matplotlib', 'optuna'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "sweep", "--help"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("set()\n")
    assert "refluid sweep --try l2=0,0.0001,0.001 --try lr=0.0005..0.05:log" in done.stdout
