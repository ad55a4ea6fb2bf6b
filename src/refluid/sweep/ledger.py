"""What a sweep knows: its plan and its trials, in one file that a kill cannot damage.

The file is written anew, atomically, when a trial begins and when it has ended. So a trial's values
are known before its program is started, and a sweep that is killed goes on with the same ones.
May import: checkpoint, errors, sweep.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from refluid.checkpoint.atomic import replacing
from refluid.errors import RunError
from refluid.sweep.command import Command
from refluid.sweep.space import Parameter

__all__ = ["COMPLETE", "FAILED", "RUNNING", "Ledger", "Plan", "Trial"]

RUNNING, COMPLETE, FAILED = "running", "complete", "failed"
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a sweep tries, and how it judges.

    Args:
        command: what is run.
        parameters: the options that are tried.
        metric: name of the metric by whose last value a trial is judged.
        minimize: whether the lowest value is the best.
        seed: 0 or more; the same seed proposes the same values.
    """

    command: Command
    parameters: tuple[Parameter, ...]
    metric: str
    minimize: bool
    seed: int

    @property
    def num_combinations(self) -> float:
        """How many combinations of values there are, which may be infinitely many."""
        return math.prod(parameter.num_values for parameter in self.parameters)

    def plain(self) -> dict[str, Any]:
        """Return what has to be the same when a sweep is gone on with, by name of the option."""
        return {
            "command": list(self.command.words),
            "try": {each.name: each.describe() for each in self.parameters},
            "metric": self.metric,
            "minimize": self.minimize,
            "seed": self.seed,
        }

    def best(self, trials: Sequence[Trial]) -> Trial | None:
        """Return the best trial, of equally good ones the first; None if none is complete."""
        return next(iter(self.ranked(trials)), None)

    def ranked(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return the trials that are complete, the best first."""
        sign = 1 if self.minimize else -1
        complete = [trial for trial in trials if trial.value is not None]
        return sorted(complete, key=lambda trial: (sign * (trial.value or 0.0), trial.number))


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One execution of the command.

    Args:
        number: from 1.
        values: of the options, as they stand on the command line.
        state: `RUNNING`, `COMPLETE` or `FAILED`.
        value: what the metric came to, if it is complete.
        num_steps: how many steps were made, if it is complete.
        why: what went wrong, if it failed, in words that follow "it".
        last_lines: what its program printed last, if it failed.
    """

    number: int
    values: Mapping[str, str]
    state: str = RUNNING
    value: float | None = None
    num_steps: int | None = None
    why: str | None = None
    last_lines: str | None = None


@dataclass
class Ledger:
    """The file of a sweep.

    Args:
        path: of the file.
        plan: of the sweep.
        trials: those that have begun, in their order; only the last may be running.
        tested: number of the trial that was tested at the end, or None.
        test: its test metrics, by name.
    """

    path: Path
    plan: Plan
    trials: list[Trial] = field(default_factory=list)
    tested: int | None = None
    test: dict[str, float] = field(default_factory=dict)

    def open(self) -> bool:
        """Read the file, or make it.

        Returns:
            Whether it was there.

        Raises:
            RunError: the file cannot be read or written, or is of a sweep with another plan.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            self._write()
            return False
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path} cannot be read: {error}.") from None
        try:
            found = json.loads(text)
            if found["format"] != _FORMAT:
                raise RunError(f"{self.path} was written by another version of refluid.")
            self._check_plan(found["plan"])
            self.trials = [_trial(each, self.plan) for each in found["trials"]]
            self.tested = found["tested"]
            self.test = {str(name): float(value) for name, value in found["test"].items()}
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise RunError(
                f"{self.path} is not the file of a sweep, or was changed ({error!r}): choose "
                "another `--out`."
            ) from None
        return True

    def begin(self, values: Mapping[str, str]) -> None:
        """Add a trial."""
        self.trials.append(Trial(number=len(self.trials) + 1, values=values))
        self._write()

    def end(self, **outcome: Any) -> Trial:
        """Note what the last trial came to; return it."""
        self.trials[-1] = replace(self.trials[-1], **outcome)
        self._write()
        return self.trials[-1]

    def note_test(self, number: int, test: dict[str, float]) -> None:
        """Note the test metrics of a trial."""
        self.tested, self.test = number, test
        self._write()

    def _write(self) -> None:
        plain = {
            "format": _FORMAT,
            "plan": self.plan.plain(),
            "trials": [asdict(trial) for trial in self.trials],
            "tested": self.tested,
            "test": self.test,
        }
        try:
            with replacing(self.path) as file:
                file.write(json.dumps(plain, indent=1).encode())
        except OSError as error:
            raise RunError(f"{self.path} cannot be written: {error.strerror or error}.") from None

    def _check_plan(self, begun: dict[str, Any]) -> None:
        # order matters: values are drawn in it
        now = self.plan.plain()
        changed = [name for name in now if json.dumps(begun[name]) != json.dumps(now[name])]
        if changed:
            listed = "; ".join(f"{name}: {_say(begun[name])}" for name in changed)
            raise RunError(
                f"{self.path.parent} is a sweep that was begun differently ({listed}): give the "
                "same again to go on with it, or another `--out` for a new one."
            )


def _say(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {values}" for name, values in value.items())
    return " ".join(map(str, value)) if isinstance(value, list) else str(value).lower()


def _trial(plain: dict[str, Any], plan: Plan) -> Trial:
    """Return a trial that was written down; ValueError or TypeError if it cannot have been."""
    trial = Trial(**plain)
    for parameter in plan.parameters:
        parameter.value_of(trial.values[parameter.name])
    if (trial.state == COMPLETE) != isinstance(trial.value, float):
        raise ValueError(f"trial {trial.number} is {trial.state}, and its value {trial.value}")
    return trial
