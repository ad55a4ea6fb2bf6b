"""Programs that use `Run` are killed, stopped and started twice, and nothing is lost.

The short form of `make torture`; every test starts real processes.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from refluid.loop import RESUMABLE
from refluid.observe.journal.reader import JournalReader
from refluid.proof.comparison import first_difference
from refluid.proof.outcome import Kill, Outcome, Reference
from refluid.proof.proof import Proof

FOLDER = Path(__file__).parent
WORKLOAD = (sys.executable, str(FOLDER / "workload.py"))
SMALL = ("--epochs", "2", "--steps-per-epoch", "8", "--save-every", "3")
COURSE = (sys.executable, "-m", "refluid", str(FOLDER / "course.py"))
STUCK = (sys.executable, str(FOLDER / "stuck.py"))
ENVIRONMENT = {**os.environ, "COLUMNS": "200", "TERM": "dumb"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Silent:
    """A `Witness` that says nothing."""

    def referred(self, reference: Reference) -> None:
        pass

    def killed(self, kill: Kill) -> None:
        pass

    def compared(self, number: int, num_kills: int) -> None:
        pass


def prove(folder: Path, num_kills: int, *command: str) -> Outcome:
    return Proof(command, num_kills, 1, folder, Silent()).run()


def start(folder: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path, program: subprocess.Popen[str]) -> None:
    while not path.exists():
        assert program.poll() is None, program.communicate()[1]
        time.sleep(0.01)


def rows_and_starts(run: Path) -> tuple[list[tuple[int, str, float]], list[int]]:
    with JournalReader(run / "run.sqlite") as journal:
        rows = [row for row in journal.metrics() if not row[1].endswith("_per_s")]
        return rows, [each.from_step for each in journal.starts()]


def test_killed_workload_gives_the_same_bits_with_and_without_workers(tmp_path):
    for workers in ("0", "2"):
        folder = tmp_path / workers
        folder.mkdir()
        outcome = prove(folder, 2, *WORKLOAD, *SMALL, "--workers", workers)
        assert outcome.finding is None
        assert len(outcome.kills) == 2
        assert outcome.reference.num_steps == 16
        assert outcome.ignored == set()
    assert first_difference(tmp_path / "0" / "reference", tmp_path / "2" / "reference") is None


@pytest.mark.stress
def test_killed_fluid_program_with_its_shuffle_gives_the_same_bits(tmp_path):
    outcome = prove(tmp_path, 2, *COURSE)
    assert outcome.finding is None
    assert len(outcome.kills) == 2
    # it seeds Python's generator alone, as the course does
    assert {"generators.torch", "generators.numpy.state.key"} <= outcome.ignored
    assert "generators.python.words" not in outcome.ignored


@pytest.mark.stress
def test_untracked_generator_is_found_with_the_step_and_the_metric(tmp_path):
    # with this seed the kill comes at the third save: the program goes on from the second
    options = ("--kills", "1", "--seed", "835", "--keep", "kept")
    command = [sys.executable, "-c", "from refluid.cli import main; main()", "verify", *options]
    done = subprocess.run(
        [*command, "--", *WORKLOAD, *SMALL, "--forget"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    shown = done.stdout
    assert done.returncode == 1, shown + done.stderr
    assert re.search(r"^kills +1$", shown, re.M)
    step = re.search(r"differs first at step (\d+):\n +metric \w+: ", shown)
    assert step is not None, shown
    assert re.search(r"metric loss: \S+ uninterrupted, \S+ after kills", shown)
    assert "the same bits again" in shown
    # what is named is what differs
    reference, _ = rows_and_starts(tmp_path / "kept" / "reference" / "runs" / "workload")
    other, _ = rows_and_starts(tmp_path / "kept" / "round-1" / "runs" / "workload")
    differing = [one[0] for one, two in zip(reference, other, strict=True) if one != two]
    assert differing[0] == int(step[1]) > 0


def test_terminated_run_loses_nothing(tmp_path):
    command = (*WORKLOAD, *SMALL)
    run = tmp_path / "runs" / "workload"
    program = start(tmp_path, *command)
    wait_for(run / "checkpoints" / "step-00000003", program)
    program.terminate()
    assert program.wait() == RESUMABLE, program.communicate()[1]
    stopped = re.search(r"stopped after step (\d+), which is saved", program.communicate()[1])
    assert stopped is not None
    before, _ = rows_and_starts(run)
    assert {step for step, _, _ in before} == set(range(int(stopped[1])))
    # it sees to it itself that no step is missing
    program = start(tmp_path, *command)
    assert program.wait() == 0, program.communicate()[1]
    program.communicate()
    after, starts = rows_and_starts(run)
    assert starts == [0, int(stopped[1])]
    assert after[: len(before)] == before


def test_stuck_step_refuses_a_second_process_and_ends_at_the_second_interrupt(tmp_path):
    run = tmp_path / "runs" / "stuck"
    program = start(tmp_path, *STUCK)
    assert program.stderr is not None
    try:
        wait_for(run / "stuck", program)
        second = start(tmp_path, *STUCK)
        told = second.communicate()[1]
        assert second.returncode == 1
        assert f"is in use by process {program.pid} on {os.uname().nodename}" in told
        program.send_signal(signal.SIGINT)
        while "stopping after this step" not in program.stderr.readline():
            assert program.poll() is None
        program.send_signal(signal.SIGINT)
        assert program.wait() == -signal.SIGINT
    finally:
        program.kill()
        program.communicate()
    # its last step had not come to its end, and is in no checkpoint
    saved = {path.name for path in (run / "checkpoints").iterdir()}
    assert saved
    assert saved <= {f"step-{step:08}" for step in range(4)}
