"""A sweep: trial after trial in a folder, until there are enough; then the winner's test.

Each trial is an execution of the command with a folder of its own, in which its run's directory is
made. A trial that was interrupted is the same command in the same folder again, which `Run` goes on
with. So the sweep itself need not remember more than its ledger.
May import: env, errors, loop, observe, sweep.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from refluid import env
from refluid.errors import RunError
from refluid.loop import RESUMABLE, Stopped
from refluid.loop.lock import RunLock
from refluid.loop.resume import report
from refluid.loop.signals import StopSignals
from refluid.observe.journal.reader import JournalReader
from refluid.proof.attempt import Attempt, run_directories
from refluid.sweep import guard
from refluid.sweep.ledger import COMPLETE, FAILED, RUNNING, Ledger, Plan, Trial
from refluid.sweep.proposal import propose
from refluid.sweep.table import write_table

__all__ = ["OUTPUT", "TABLE", "Result", "Sweep", "Witness", "trial_folder"]

OUTPUT, TABLE = "output.txt", "sweep.csv"
_LEDGER = "sweep.json"
_LOCK = "run.lock"
_POLL_S = 0.1
_TEST = "test_"
_MAX_NAMES = 12


class Witness(Protocol):
    """Is told how a sweep goes, as it goes."""

    def opened(self, trials: Sequence[Trial]) -> None:
        """The sweep begins; or it goes on, after these trials."""

    def began(self, trial: Trial, again: bool) -> None:
        """A trial begins, or goes on."""

    def ended(self, trial: Trial, trials: Sequence[Trial]) -> None:
        """A trial has ended, the last of these."""

    def testing(self, trial: Trial) -> None:
        """The winner is going to be tested."""


@dataclass(frozen=True)
class Result:
    """What a sweep came to.

    Args:
        trials: all, in their order; at least one is complete.
        winner: the best of them.
        test: the winner's test metrics by name; empty if the command is not `refluid train`.
    """

    trials: Sequence[Trial]
    winner: Trial
    test: dict[str, float]


@dataclass(frozen=True)
class _Score:
    value: float
    num_steps: int


class Sweep:
    """Tries values of a command's options.

    Args:
        plan: what is tried, and how it is judged.
        num_trials: how many trials there shall be, those before a stop included. There are fewer
            if there are no more combinations of values.
        out: folder of the sweep. The sweep that is in it goes on.
        witness: is told how it goes.
    """

    def __init__(self, plan: Plan, num_trials: int, out: Path, witness: Witness) -> None:
        self._plan = plan
        self._num_trials = int(min(num_trials, plan.num_combinations))
        self._out = out
        self._witness = witness
        self._signals = StopSignals()
        self._ledger = Ledger(out / _LEDGER, plan)

    def run(self) -> Result:
        """Do it all.

        Returns:
            The result, also of a sweep that is complete.

        Raises:
            RunError: the folder is in use, cannot be written to, or holds another sweep or
                something else; or no trial is complete, or the winner's test failed.
            Stopped: the sweep, or the program that it has started, was asked to stop.

        Effects:
            Starts the command many times, one at a time, and ends what it has started however it
            ends itself. Notes SIGTERM, SIGINT and SIGUSR1 meanwhile.
        """
        with self._opened(), self._signals.noted():
            while (trial := self._next()) is not None:
                self._carry_out(trial)
            return self._conclude()

    @contextlib.contextmanager
    def _opened(self) -> Iterator[None]:
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            names = {path.name for path in self._out.iterdir()}
        except OSError as error:
            raise RunError(
                f"{self._out} cannot be used as a folder ({error.strerror}): choose another "
                "`--out`."
            ) from None
        strange = {name for name in names if name != _LOCK and not name.startswith(".")}
        if strange and _LEDGER not in names:
            raise RunError(
                f"{self._out} is not empty and holds no sweep ({_LEDGER} is missing): choose "
                "another `--out`."
            )
        lock = RunLock(self._out)
        lock.acquire()
        try:
            self._ledger.open()
            self._witness.opened(self._ledger.trials)
            yield
        finally:
            lock.release()

    def _next(self) -> Trial | None:
        """Return the trial to carry out now: the one that was interrupted, or a new one."""
        self._stop_if_asked("between two trials")
        trials = self._ledger.trials
        if trials and trials[-1].state == RUNNING:
            self._witness.began(trials[-1], again=True)
            return trials[-1]
        if len(trials) >= self._num_trials:
            return None
        values = propose(self._plan, trials)
        if values is None:
            return None
        self._ledger.begin(values)
        self._witness.began(trials[-1], again=False)
        return trials[-1]

    def _carry_out(self, trial: Trial) -> None:
        status, lines = self._execute(trial, self._plan.command.trial(trial.values))
        folder = trial_folder(self._out, trial)
        score = _status_text(status) if status else _score(folder, self._plan.metric)
        if isinstance(score, str):
            trial = self._ledger.end(state=FAILED, why=score, last_lines=lines)
        else:
            trial = self._ledger.end(state=COMPLETE, value=score.value, num_steps=score.num_steps)
        self._write_table()
        self._witness.ended(trial, self._ledger.trials)

    def _conclude(self) -> Result:
        ledger = self._ledger
        winner = self._plan.best(ledger.trials)
        if winner is None:
            first = ledger.trials[0]
            raise RunError(
                f"all {len(ledger.trials)} trials failed. Trial {first.number} {first.why}; its "
                f"last lines:\n{first.last_lines}\n"
                f"When the cause is removed, remove {self._out} too, and begin anew."
            )
        self._write_table()
        if self._plan.command.leaves_test and ledger.tested != winner.number:
            self._stop_if_asked("before the test")
            self._witness.testing(winner)
            ledger.note_test(winner.number, self._test(winner))
        return Result(tuple(ledger.trials), winner, ledger.test)

    def _test(self, winner: Trial) -> dict[str, float]:
        """Start the winner again, without what keeps it from testing, and read its test metrics."""
        status, lines = self._execute(winner, self._plan.command.final(winner.values))
        if status:
            raise RunError(
                f"the test of trial {winner.number} {_status_text(status)}; its last lines:\n"
                f"{lines}"
            )
        found = {}
        for run in run_directories(trial_folder(self._out, winner)):
            with JournalReader(run / "run.sqlite") as journal:
                for name in journal.names():
                    if name.startswith(_TEST):
                        found[name] = float(journal.curve(name)[1][-1])
        return found

    def _write_table(self) -> None:
        write_table(self._out / TABLE, self._plan, self._ledger.trials)

    def _execute(self, trial: Trial, command: list[str]) -> tuple[int, str]:
        """Run a trial's program to its end; return its exit status and its last lines.

        Raises:
            Stopped: it, or the sweep, was asked to stop.
        """
        folder = trial_folder(self._out, trial)
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise RunError(f"{folder} cannot be made ({error.strerror}).") from None
        guarded = [
            *(sys.executable, "-I", "-S", guard.__file__),
            *(str(os.getpid()), str(self._out.resolve() / ".guard.lock")),
            *command,
        ]
        variables = env.proof_environment(folder.resolve())
        # what is judged here are results, not every step's state
        variables.pop(env.DIGESTS)
        attempt = Attempt(guarded, variables, folder, folder / OUTPUT)
        with contextlib.closing(attempt):
            asked = False
            while (status := attempt.wait(_POLL_S)) is None:
                if self._signals.received and not asked:
                    os.kill(attempt.session, signal.SIGTERM)
                    asked = True
            lines = "".join(
                c if c.isprintable() or c == "\n" else "?" for c in attempt.last_lines()
            )
        if status:
            self._stop_if_asked(f"in trial {trial.number}")
        if status == RESUMABLE:
            self._stop(f"trial {trial.number} was asked to stop", "with it")
        return status, lines

    def _stop_if_asked(self, where: str) -> None:
        if self._signals.received:
            self._stop(self._signals.received, where)

    def _stop(self, why: str, where: str) -> None:
        num_ended = sum(trial.state != RUNNING for trial in self._ledger.trials)
        report(
            f"{why}: the sweep stopped {where}, {num_ended} of {self._num_trials} trials have "
            "ended; the same command goes on from there"
        )
        raise Stopped(why)


def trial_folder(out: Path, trial: Trial) -> Path:
    """Return the folder of a trial: what its program printed, and its run."""
    return out / f"trial-{trial.number:03}"


def _status_text(status: int) -> str:
    number = -status if status < 0 else status - 128
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(number).name}"
    return f"ended with status {status}"


def _score(folder: Path, metric: str) -> _Score | str:
    """Return what a trial came to, or what is wrong with it."""
    names: set[str] = set()
    found: list[_Score] = []
    for run in run_directories(folder):
        try:
            with JournalReader(run / "run.sqlite") as journal:
                names.update(journal.names())
                values = journal.curve(metric)[1]
                last = journal.last_step()
        except RunError as error:
            return f"left a journal that cannot be read: {error}"
        if len(values):
            found.append(_Score(float(values[-1]), (last or 0) + 1))
    if len(found) == 1 and math.isfinite(found[0].value):
        return found[0]
    if len(found) == 1:
        return f"came to a `{metric}` of {found[0].value}"
    if found:
        return f"logged `{metric}` in {len(found)} runs, and it is not known which counts"
    if not names:
        return "logged no metrics, which a program does with `refluid.Run`"
    listed = ", ".join(sorted(names)[:_MAX_NAMES])
    return f"logged no `{metric}`, but {listed}"
