"""A proof finds what a program does wrong after a kill, and nothing else.

The programs write what `Run` writes, but load no torch, so that they can be started many times.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from refluid.errors import RunError
from refluid.proof.attempt import living
from refluid.proof.outcome import Aim, Kill, Outcome, Reference
from refluid.proof.proof import Proof

# its results are those of a counter; how it goes wrong is its argument
PROGRAM = """
import os, random, subprocess, sys, time
from pathlib import Path
from refluid.observe.journal.journal import Event, Journal, Start

how = sys.argv[1]
run = Path(os.environ["REFLUID_RUNS"], "x")
checkpoints = run / "checkpoints"
checkpoints.mkdir(parents=True, exist_ok=True)
(run / "run.lock").write_text(f"process {os.getpid()} on here\\n")
for path in checkpoints.glob(".step-*"):
    path.rmdir()
saved = max((int(path.name[5:]) for path in checkpoints.iterdir()), default=0)
if how == "fails" and saved:
    sys.exit("it cannot go on")
if how == "leaves a child":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
journal = Journal(run / "run.sqlite")
journal.open()
journal.start(Start(pid=os.getpid(), host="", argv=[], from_step=saved, environment={}, config={}))
journal.cut(saved, Event(step=saved, kind="resumed"))
unseeded = f"{random.getrandbits(64):016x}"
forgotten = 0
for step in range(saved, 24):
    time.sleep(0.005)
    forgotten += 1
    loss = {"forgets": float(forgotten), "draws": random.random()}.get(how, 1 / (1 + step))
    digests = [(step, "objects.count", str(step)), (step, "generators.python", unseeded)]
    journal.append([(step, "loss", loss)], [], digests[: 2 if how == "unseeded" else 1])
    if step % 4 == 3:
        temporary = checkpoints / f".step-{step + 1:08}.0a0a0a0a.tmp"
        temporary.mkdir()
        time.sleep(0.02)
        place = temporary.rename(checkpoints / f"step-{step + 1:08}")
        for name in ("state.safetensors", "state.json"):
            (place / name).touch()
"""


class Noting:
    """A `Witness` that keeps what it is told."""

    def __init__(self) -> None:
        self.references: list[Reference] = []
        self.kills: list[Kill] = []
        self.rounds: list[tuple[int, int]] = []

    def referred(self, reference: Reference) -> None:
        self.references.append(reference)

    def killed(self, kill: Kill) -> None:
        self.kills.append(kill)

    def compared(self, number: int, num_kills: int) -> None:
        self.rounds.append((number, num_kills))


def prove(folder, how: str, num_kills: int = 6, seed: int = 1) -> tuple[Outcome, Noting]:
    noting = Noting()
    command = [sys.executable, "-c", PROGRAM, how]
    return Proof(command, num_kills, seed, folder, noting).run(), noting


@pytest.mark.slow
def test_exact_program_passes_and_every_kill_is_told(tmp_path):
    outcome, noting = prove(tmp_path, "exact", 20)
    assert outcome.finding is None
    assert outcome.kills == noting.kills
    assert len(outcome.kills) == 20
    assert noting.references == [outcome.reference]
    assert outcome.reference.num_steps == 24
    assert outcome.reference.save_s > 0.01
    assert sum(count for _, count in noting.rounds) == 20
    assert [number for number, _ in noting.rounds] == list(range(1, outcome.num_rounds + 1))
    aims = [kill.aim for kill in outcome.kills]
    assert set(aims) == set(Aim)
    assert any(kill.saving for kill in outcome.kills)
    assert len(outcome.resumed_from) == len(outcome.done_again) > 0
    assert all(step % 4 == 0 for step in outcome.resumed_from)
    assert max(outcome.done_again) <= 4
    # what was the same bits is not kept
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["reference"]


def test_program_that_forgets_is_found(tmp_path):
    outcome, _ = prove(tmp_path, "forgets", 8)
    assert outcome.finding is not None
    assert "Round 1: x differs first at step " in outcome.finding
    assert "metric loss" in outcome.finding
    assert "something that decides about its results is not saved" in outcome.finding
    assert (tmp_path / "round-1" / "x" / "run.sqlite").is_file()


def test_program_that_is_never_the_same_is_told_to_set_its_seeds(tmp_path):
    outcome, _ = prove(tmp_path, "draws", 1)
    assert outcome.finding is not None
    assert "differs first at step 0" in outcome.finding
    assert "set its seeds" in outcome.finding


def test_generator_that_is_not_seeded_and_not_used_does_not_count(tmp_path):
    outcome, _ = prove(tmp_path, "unseeded", 2)
    assert outcome.finding is None
    assert outcome.ignored == {"generators.python"}


def test_program_that_cannot_be_started_again_is_found(tmp_path):
    outcome, _ = prove(tmp_path, "fails", 8)
    assert outcome.finding is not None
    assert "started again after a kill, ended with status 1" in outcome.finding
    assert "it cannot go on" in outcome.finding


def test_process_that_outlives_a_kill_is_found_and_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("refluid.proof.proof._GRACE_S", 0.2)
    outcome, _ = prove(tmp_path, "leaves a child", 2)
    assert outcome.finding is not None
    assert "had started has not ended" in outcome.finding


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("print('trained')", "made no refluid.Run(.|\n)*trained"),
        ("import nothing_there", "status 1 without being killed(.|\n)*No module named"),
    ],
)
def test_program_that_cannot_be_verified_is_refused(tmp_path, program, told):
    with pytest.raises(RunError, match=told):
        Proof([sys.executable, "-c", program], 1, 1, tmp_path, Noting()).run()


def test_program_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RunError, match="'nowhere' cannot be started"):
        Proof(["nowhere"], 1, 1, tmp_path, Noting()).run()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_proof_that_is_stopped_ends_what_it_has_started(tmp_path, number):
    pid = tmp_path / "pid"
    waiting = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(100)"
    command = "from refluid.cli import main; main()"
    program = subprocess.Popen(
        [sys.executable, "-c", command, "verify", "--", sys.executable, "-c", waiting],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not (pid.exists() and pid.read_text()):
        assert program.poll() is None
        time.sleep(0.01)
    assert living(int(pid.read_text()))
    program.send_signal(number)
    assert program.wait() == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert not living(int(pid.read_text()))
