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
from refluid.observe.journal_reader import JournalReader

FOLDER = Path(__file__).parent
WORKLOAD = (sys.executable, str(FOLDER / "workload.py"))
SMALL = ("--epochs", "2", "--steps-per-epoch", "8", "--save-every", "3")
COURSE = (sys.executable, "-m", "refluid", str(FOLDER / "course.py"))
STUCK = (sys.executable, str(FOLDER / "stuck.py"))
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", "TERM": "dumb"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def verify(folder: Path, *arguments: str, expect: int = 0) -> str:
    """Run `refluid verify` in `folder`; return what it shows."""
    command = [sys.executable, "-c", "from refluid.cli import main; main()", "verify", *arguments]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def start(folder: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path, program: subprocess.Popen[str]) -> None:
    while not path.exists():
        assert program.poll() is None, program.communicate()[1]
        time.sleep(0.01)


def rows_and_starts(run: Path) -> tuple[list[tuple[int, str, float]], list[int]]:
    with JournalReader(run / "run.sqlite") as journal:
        return list(journal.metrics()), [each.from_step for each in journal.starts()]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_killed_workload_gives_the_same_bits(tmp_path, workers):
    shown = verify(tmp_path, "--kills", "3", "--", *WORKLOAD, *SMALL, "--workers", workers)
    assert re.search(r"^kills +3$", shown, re.M), shown
    assert re.search(r"^first difference +none$", shown, re.M), shown
    assert list(tmp_path.iterdir()) == []


def test_killed_fluid_program_with_its_shuffle_gives_the_same_bits(tmp_path):
    shown = verify(tmp_path, "--kills", "2", "--", *COURSE)
    assert re.search(r"^first difference +none$", shown, re.M), shown
    # it seeds Python's generator alone, as the course does
    assert re.search(r"^not compared +\d+ states of generators", shown, re.M), shown


def test_untracked_generator_is_found_with_the_step_and_the_metric(tmp_path):
    shown = verify(
        tmp_path,
        # with this seed the kill comes at the third save: the program goes on from the second
        *("--kills", "1", "--seed", "835", "--keep", "kept"),
        *("--", *WORKLOAD, *SMALL, "--forget"),
        expect=1,
    )
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


def test_program_without_a_run_is_refused(tmp_path):
    shown = verify(tmp_path, "--", sys.executable, "-c", "print('trained')", expect=2)
    assert "made no refluid.Run" in shown
    assert "trained" in shown


def test_program_that_fails_by_itself_is_refused(tmp_path):
    shown = verify(tmp_path, "--", sys.executable, "-c", "import nothing_there", expect=2)
    assert "ended with status 1 without being killed" in shown
    assert "No module named 'nothing_there'" in shown


def test_program_that_is_not_there_is_refused(tmp_path):
    assert "'nothing' cannot be started" in verify(tmp_path, "--", "nothing", expect=2)
