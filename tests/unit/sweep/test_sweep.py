"""A sweep comes to the same result however often it is interrupted, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest

from refluid.errors import RunError
from refluid.loop import RESUMABLE, Stopped
from refluid.loop.lock import RunLock
from refluid.observe.journal.reader import JournalReader
from refluid.sweep.command import Command
from refluid.sweep.ledger import COMPLETE, FAILED, RUNNING, Ledger
from refluid.sweep.sweep import Sweep, trial_folder

pytestmark = pytest.mark.skipif(find_spec("optuna") is None, reason="optuna is not installed")

TRY = "x=0.0..1.0"


class Crash(Exception):
    """Stands for a kill at this point of the sweep itself."""


def crash():
    raise Crash


@pytest.fixture
def sweep(tmp_path, noting):
    """Return a function that runs a sweep and returns its result and its witness."""

    def run(plan, num_trials=5, folder="sweep", at_begin=lambda: None):
        witness = noting(at_begin)
        return Sweep(plan, num_trials, tmp_path / folder, witness).run(), witness

    return run


def starts(folder) -> int:
    return len((folder / "runs" / "x" / "starts").read_text().splitlines())


def test_trials_are_carried_out_in_folders_of_their_own(sweep, plan, tmp_path):
    result, witness = sweep(plan(TRY), 3)
    assert [trial.state for trial in result.trials] == [COMPLETE] * 3
    assert witness.begun == [(1, False), (2, False), (3, False)]
    assert witness.done == list(result.trials)
    for trial in result.trials:
        folder = trial_folder(tmp_path / "sweep", trial)
        with JournalReader(folder / "runs" / "x" / "run.sqlite") as journal:
            values = journal.curve("valid_accuracy")[1]
        # the last value counts, not the highest
        assert trial.value == values[-1] == 1 - (float(trial.values["x"]) - 0.3) ** 2 + 0.004
        assert trial.num_steps == 5
        assert starts(folder) == 1
    best = min(result.trials, key=lambda trial: abs(float(trial.values["x"]) - 0.3))
    assert result.winner == best
    assert result.test == {}


def test_complete_sweep_starts_nothing_and_more_trials_are_added(sweep, plan, tmp_path):
    first, _ = sweep(plan(TRY), 2)
    table = (tmp_path / "sweep" / "sweep.csv").read_bytes()
    again, witness = sweep(plan(TRY), 2)
    assert again == first
    assert witness.opened_with == list(first.trials)
    assert witness.begun == []
    assert (tmp_path / "sweep" / "sweep.csv").read_bytes() == table
    more, witness = sweep(plan(TRY), 3)
    assert more.trials[:2] == first.trials
    assert witness.begun == [(3, False)]
    # as if there had been three from the beginning
    assert sweep(plan(TRY), 3, "other")[0] == more


def test_crash_at_any_point_changes_nothing(sweep, plan, tmp_path, monkeypatch):
    sweep(plan(TRY), 2, "whole")
    for point in (
        # before a trial's program is started
        lambda run: run(at_begin=crash),
        # after its end, before it is written down
        lambda run: interrupted(monkeypatch, Ledger, "end", run),
        # after that, before the table is
        lambda run: interrupted(monkeypatch, Sweep, "_write_table", run),
        # before the next one is proposed
        lambda run: interrupted(monkeypatch, Ledger, "begin", run),
    ):
        with pytest.raises(Crash):
            point(lambda **more: sweep(plan(TRY), 2, "crashed", **more))
    result, witness = sweep(plan(TRY), 2, "crashed")
    assert [trial.state for trial in result.trials] == [COMPLETE] * 2
    assert len(witness.begun) == 1
    whole, crashed = (tmp_path / name / "sweep.csv" for name in ("whole", "crashed"))
    assert crashed.read_bytes() == whole.read_bytes()


KILLED = """
import sys
from pathlib import Path
from refluid.cli.sweep import sweep
sweep(
    tried=["x=0.0..1.0"], command=sys.argv[2:], trials=3, metric="valid_accuracy", minimize=False,
    seed=1, out=Path(sys.argv[1]),
)
"""


@pytest.mark.slow
def test_killed_sweep_goes_on_in_the_middle_and_comes_to_the_same_table(sweep, plan, tmp_path):
    pausing = plan(TRY, words=("--pause", "0.1"))
    sweep(pausing, 3, "whole")
    command = [sys.executable, "-c", KILLED, str(tmp_path / "killed"), *pausing.command.words]
    begun = tmp_path / "killed" / "trial-002" / "runs" / "x" / "starts"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not begun.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    # at once: what the killed one has started may still be saving
    result, witness = sweep(pausing, 3, "killed")
    assert witness.begun == [(2, True), (3, False)]
    assert [trial.state for trial in result.trials] == [COMPLETE] * 3
    for name in ("sweep.csv", "sweep.json"):
        whole, killed = (tmp_path / folder / name for folder in ("whole", "killed"))
        assert killed.read_bytes() == whole.read_bytes()
    assert [starts(trial_folder(tmp_path / "killed", trial)) for trial in result.trials] == [
        1,
        2,
        1,
    ]


def interrupted(monkeypatch, kind: type, method: str, run) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(kind, method, lambda *_, **__: crash())
        run()


def test_interrupted_trial_goes_on_where_it_was_stopped(sweep, plan, tmp_path, capfd):
    # one step, and then it has been asked to stop
    words = ("--mode", "asks")
    for number in range(2):
        with pytest.raises(Stopped) as stopped:
            sweep(plan(TRY, words=words), 1)
        assert stopped.value.code == RESUMABLE
        told = capfd.readouterr().err
        assert "trial 1 was asked to stop: the sweep stopped with it, 0 of 1 trials" in told
        folder = tmp_path / "sweep" / "trial-001"
        assert starts(folder) == number + 1
        with JournalReader(folder / "runs" / "x" / "run.sqlite") as journal:
            assert journal.last_step() == number
    ledger = Ledger(tmp_path / "sweep" / "sweep.json", plan(TRY, words=words))
    ledger.open()
    assert [trial.state for trial in ledger.trials] == [RUNNING]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_signal_stops_the_trial_and_the_sweep(sweep, plan, number, capfd):
    with pytest.raises(Stopped) as stopped:
        sweep(
            plan(TRY, words=("--pause", "100")),
            at_begin=lambda: signal.raise_signal(number),
        )
    assert stopped.value.code == RESUMABLE
    assert f"{number.name}: the sweep stopped in trial 1, 0 of 5 trials" in capfd.readouterr().err


def test_second_interrupt_stops_a_program_that_does_not_listen(sweep, plan, tmp_path):
    def interrupt_twice():
        begun = tmp_path / "sweep" / "trial-001" / "runs" / "x" / "starts"
        code = (
            "import os, pathlib, signal, sys, time\n"
            "while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.01)\n"
            "for _ in range(2): os.kill(int(sys.argv[1]), signal.SIGINT); time.sleep(0.3)\n"
        )
        helpers.append(subprocess.Popen([sys.executable, "-c", code, str(os.getpid()), str(begun)]))

    helpers: list[subprocess.Popen[bytes]] = []
    with pytest.raises(KeyboardInterrupt):
        sweep(
            plan(TRY, words=("--mode", "deaf", "--pause", "100")),
            at_begin=interrupt_twice,
        )
    assert helpers[0].wait(30) == 0
    pid = int((tmp_path / "sweep" / "trial-001" / "runs" / "x" / "starts").read_text())
    assert_gone(pid)


def assert_gone(pid: int) -> None:
    """A process that was killed is gone soon, unless nobody has taken its status."""
    end_s = time.monotonic() + 30
    while True:
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] in "ZX":
                    return
        except OSError:
            return
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_failing_trials_are_told_and_the_others_count(sweep, plan, tmp_path):
    result, _ = sweep(plan("mode=fails,nan,silent,twice,well"))
    assert len(result.trials) == 5
    why = {trial.values["mode"]: trial.why for trial in result.trials}
    assert why == {
        "well": None,
        "fails": "ended with status 1",
        "nan": "came to a `valid_accuracy` of nan",
        "silent": "logged no `valid_accuracy`, but loss",
        "twice": "logged `valid_accuracy` in 2 runs, and it is not known which counts",
    }
    for trial in result.trials:
        assert trial.state == (COMPLETE if trial.values["mode"] == "well" else FAILED)
        if trial.values["mode"] == "fails":
            assert trial.last_lines == "    the ?[31m disk is full"
    assert result.winner.values == {"mode": "well"}
    rows = (tmp_path / "sweep" / "sweep.csv").read_text().splitlines()
    assert rows[0] == "trial,mode,valid_accuracy,steps,state"
    assert [row.rpartition(",")[2] for row in rows[1:]] == ["complete"] + ["failed"] * 4


def test_if_all_fail_it_is_an_error_with_the_first_one_s_words(sweep, plan):
    with pytest.raises(RunError, match="all 2 trials failed. Trial 1 ended with status 1") as told:
        sweep(plan(TRY, words=("--mode", "fails")), 2)
    assert "disk is full" in str(told.value)


def test_what_a_trial_leaves_behind_is_ended(sweep, plan, tmp_path):
    result, _ = sweep(plan(TRY, words=("--mode", "leaves")), 1)
    assert result.winner.state == COMPLETE
    assert_gone(int((tmp_path / "sweep" / "trial-001" / "runs" / "x" / "child").read_text()))


def test_fewer_combinations_than_trials_end_it_sooner(sweep, plan):
    result, _ = sweep(plan("steps=2..3"), 50)
    assert sorted(trial.values["steps"] for trial in result.trials) == ["2", "3"]


def test_folder_of_something_else_is_not_touched(sweep, plan, tmp_path):
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "run.sqlite").touch()
    with pytest.raises(RunError, match=r"is not empty and holds no sweep \(sweep.json is missing"):
        sweep(plan(TRY))
    assert [path.name for path in (tmp_path / "sweep").iterdir()] == ["run.sqlite"]
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="file cannot be used as a folder"):
        sweep(plan(TRY), folder="file")


def test_folder_that_is_in_use_is_refused(sweep, plan, tmp_path):
    (tmp_path / "sweep").mkdir()
    lock = RunLock(tmp_path / "sweep")
    lock.acquire()
    with pytest.raises(RunError, match="is in use by"):
        sweep(plan(TRY))
    lock.release()
    assert not (tmp_path / "sweep" / "sweep.json").exists()


def test_sweep_of_another_plan_is_refused(sweep, plan):
    sweep(plan(TRY), 1)
    with pytest.raises(RunError, match=r"begun differently \(try: x from 0.0 to 1.0\)"):
        sweep(plan("x=0.0..2.0"), 1)


def test_winner_alone_is_tested(sweep, plan, tmp_path, monkeypatch, program):
    # stands for `refluid train`: it tests unless it is told not to
    source = program.read_text().replace(
        "given =", "parser.add_argument('--no-test', action='store_true')\ngiven ="
    )
    source = source.replace(
        "journal.close()",
        "if not given.no_test: journal.append([(given.steps - 1, 'test_accuracy', given.x)])\n"
        "journal.close()",
    )
    program.write_text(source)
    monkeypatch.setattr(Command, "leaves_test", True)
    result, witness = sweep(plan(TRY), 2)
    assert witness.tested == [result.winner.number]
    assert result.test == {"test_accuracy": float(result.winner.values["x"])}
    for trial in result.trials:
        assert starts(trial_folder(tmp_path / "sweep", trial)) == 1 + (trial == result.winner)
    again, witness = sweep(plan(TRY), 2)
    assert witness.tested == []
    assert again == result
