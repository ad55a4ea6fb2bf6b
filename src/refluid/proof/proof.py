"""The proof that a program can be killed at any instant: it is done, and the results compared.

The program runs once uninterrupted. Then, in a fresh folder, it is started, killed with SIGKILL and
started again until it comes to its end; that is a round, and there are rounds until there have been
enough kills. After each, everything is compared with the first execution (see `comparison`).

A kill is aimed at one of three things: any instant of training, the middle of saving, or the time
in which the program starts again and restores. Where to wait for is drawn from a seeded generator;
at which instant a kill arrives is up to the machine, so that two proofs never test the same.
May import: env, errors, proof.attempt, proof.comparison, proof.outcome.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from refluid import env
from refluid.errors import RunError
from refluid.proof.attempt import Attempt, glimpse, run_directories, unfinished
from refluid.proof.comparison import first_difference, irrelevant_leaves
from refluid.proof.outcome import Aim, History, Outcome, Reference, Witness

__all__ = ["Proof"]

# then a round's program is left to come to its end, so that no round can last forever
_KILLS_PER_ROUND = 8
# the longest that a kill waits, as a part of the time in which the program trains or opens its run
_STRETCH = 0.35
_OVER_OPENING = 1.2
_MAX_SKIPPED = 2
_POLL_S = 0.0003
# DataLoader's workers look every five seconds whether their parent is there
_GRACE_S = 15.0
# how often a kill is aimed at each, of ten times
_WEIGHTS = {Aim.TRAINING: 4, Aim.SAVING: 4, Aim.STARTING: 2}


class Proof:
    """Kills a program again and again and compares what comes out.

    Args:
        command: the program and its arguments. It uses `refluid.Run`, and starts anew when its
            run's directory is empty.
        num_kills: how many times it is killed.
        seed: of what is drawn.
        folder: an empty folder for the runs.
        witness: is told how it goes on.
    """

    def __init__(
        self, command: Sequence[str], num_kills: int, seed: int, folder: Path, witness: Witness
    ) -> None:
        self._command = command
        self._num_kills = num_kills
        self._rng = random.Random(seed)
        self._folder = folder.resolve()
        self._witness = witness

    def run(self) -> Outcome:
        """Do it all.

        Returns:
            The outcome. It ends with the first finding, and leaves all files where they are then.

        Raises:
            RunError: the program cannot be started, fails by itself, or makes no `refluid.Run`.

        Effects:
            Starts the program many times, in process groups of their own, and ends everything it
            has started however it ends itself, also by SIGTERM.
        """
        with _terminable():
            return self._prove()

    def _prove(self) -> Outcome:
        reference = self._refer("reference")
        self._witness.referred(reference)
        outcome = Outcome(reference)
        while len(outcome.kills) < self._num_kills and outcome.finding is None:
            number = outcome.num_rounds + 1
            before = len(outcome.kills)
            name = f"round-{number}"
            finding = self._round(name, outcome) or self._compare(name, outcome)
            if finding is not None:
                outcome.finding = f"Round {number}: {finding}"
            else:
                outcome.num_rounds = number
                self._witness.compared(number, len(outcome.kills) - before)
                shutil.rmtree(self._folder / name)
        return outcome

    # --- the uninterrupted execution ----------------------------------------------------------

    def _refer(self, name: str) -> Reference:
        with contextlib.closing(self._start(name)) as attempt:
            attempt.await_run()
            opened_s = time.monotonic()
            saves_s = list(_save_durations(attempt))
            ended_s = time.monotonic()
            status = attempt.wait(0)
            if status:
                raise RunError(
                    f"the program ended with status {status} without being killed; its last "
                    f"lines:\n{attempt.last_lines()}"
                )
            found = [glimpse(run) for run in run_directories(self._folder / name)]
            if not found:
                raise RunError(
                    "the program ended, but made no refluid.Run: `verify` compares what `Run` "
                    f"writes down. Its last lines:\n{attempt.last_lines()}"
                )
        return Reference(
            num_runs=len(found),
            num_steps=sum(each.num_steps for each in found),
            opening_s=opened_s - attempt.started_s,
            training_s=ended_s - opened_s,
            save_s=statistics.median(saves_s) if saves_s else 0.0,
        )

    def _compare(self, name: str, outcome: Outcome) -> str | None:
        """Compare a round with the reference; say what differs, and whether kills matter."""
        reference, second = self._folder / "reference", self._folder / "second-reference"
        difference = first_difference(reference, self._folder / name, outcome.ignored)
        if difference is None:
            return None
        if not second.exists():
            self._refer(second.name)
        ignored = irrelevant_leaves(reference, second)
        if first_difference(reference, second, ignored) is not None:
            return (
                f"{difference}\nTwo uninterrupted executions of the program differ as well, so "
                "it is not the kills: set its seeds (docs/exactness.md)."
            )
        outcome.ignored = ignored
        difference = first_difference(reference, self._folder / name, ignored)
        return difference and (
            f"{difference}\nUninterrupted, the program gives the same bits again. So something "
            "that decides about its results is not saved: track it (docs/exactness.md)."
        )

    # --- a round ------------------------------------------------------------------------------

    def _round(self, name: str, outcome: Outcome) -> str | None:
        """Start and kill the program until it comes to its end; say what went wrong."""
        limit_s = outcome.reference.limit_s
        history = History(self._folder / name, outcome)
        kills_left = min(_KILLS_PER_ROUND, self._num_kills - len(outcome.kills))
        with contextlib.ExitStack() as stack:
            attempts: list[Attempt] = []
            while True:
                attempt = stack.enter_context(contextlib.closing(self._start(name)))
                attempts.append(attempt)
                aim = self._aim() if kills_left else None
                place = None if aim is None else self._kill(attempt, aim, outcome.reference)
                status = attempt.wait(limit_s)
                if status is None:
                    return (
                        f"the program did not end within {limit_s:.0f} s; its last lines:\n"
                        f"{attempt.last_lines()}"
                    )
                kill = history.look(aim, place)
                if kill is None:
                    break
                kills_left -= 1
                self._witness.killed(kill)
            if status:
                return (
                    f"the program, started again after a kill, ended with status {status}; its "
                    f"last lines:\n{attempt.last_lines()}"
                )
            return _orphans(attempts[:-1])

    def _start(self, name: str) -> Attempt:
        runs = self._folder / name
        output = self._folder / f"{name}.txt"
        return Attempt(self._command, env.proof_environment(runs), runs, output)

    def _aim(self) -> Aim:
        return self._rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]

    def _kill(self, attempt: Attempt, aim: Aim, reference: Reference) -> int | None:
        """Wait for the instant, and kill; see `Attempt.kill` for what is returned."""
        # all are always drawn: the next kill's shall not depend on this one's aim
        fraction, num_skipped = self._rng.random(), self._rng.randrange(_MAX_SKIPPED + 1)
        which = self._rng.random()
        if aim is Aim.STARTING:
            attempt.pause(fraction * reference.opening_s * _OVER_OPENING)
        elif attempt.await_run() is None:
            return None
        elif aim is Aim.TRAINING:
            attempt.pause(fraction * reference.training_s * _STRETCH)
        else:
            _await_instant_of_save(attempt, num_skipped, fraction * reference.save_s)
        return attempt.kill(which)


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Have SIGTERM raise `SystemExit`, so that nothing that was started is left running."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _save_durations(attempt: Attempt) -> Iterator[float]:
    """Watch the program until it ends; iterate over how long it took to save each checkpoint."""
    began_s: dict[str, float] = {}
    while attempt.running:
        writing = _writing(attempt)
        now_s = time.monotonic()
        for name in began_s.keys() - writing:
            yield now_s - began_s.pop(name)
        for name in writing - began_s.keys():
            began_s[name] = now_s
        time.sleep(_POLL_S)


def _await_instant_of_save(attempt: Attempt, num_skipped: int, into_s: float) -> None:
    """Wait until the program, after having saved some, is so far into saving a checkpoint."""
    # those that are there when it starts are of the process that was killed before
    seen = _writing(attempt)
    num_begun = 0
    while attempt.running:
        time.sleep(_POLL_S)
        writing = _writing(attempt) - seen
        seen |= writing
        num_begun += len(writing)
        if not writing or num_begun <= num_skipped:
            continue
        attempt.pause(into_s)
        if writing & _writing(attempt):
            return
        # this one took less time: sooner in the next
        into_s /= 2


def _writing(attempt: Attempt) -> set[str]:
    run = attempt.open_run()
    return unfinished(run.directory)[0] if run else set()


def _orphans(attempts: Sequence[Attempt]) -> str | None:
    """Say which processes of killed programs do not end by themselves."""
    until_s = time.monotonic() + _GRACE_S
    while left := [pid for attempt in attempts for pid in attempt.survivors()]:
        if time.monotonic() > until_s:
            listed = ", ".join(map(str, left))
            return f"what killed programs had started has not ended in {_GRACE_S:.0f} s: {listed}"
        time.sleep(0.05)
    return None
