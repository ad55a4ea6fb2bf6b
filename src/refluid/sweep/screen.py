"""What a sweep shows: a line for each trial, a bar on a terminal, and a table at the end.

May import: rich, loop, sweep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from refluid.loop.resume import report
from refluid.sweep.ledger import FAILED, RUNNING, Plan, Trial
from refluid.sweep.sweep import OUTPUT, TABLE, Result, trial_folder
from refluid.sweep.table import in_order

__all__ = ["Screen"]

# of a file, in which a row is not to be folded
_FILE_WIDTH = 400


class Screen:
    """The terminal, or the file, that a sweep is shown on; a `Witness`."""

    def __init__(self, plan: Plan, num_trials: int, out: Path) -> None:
        # what is shown holds what the user and programs wrote: not to be taken for markup
        self._console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._plan = plan
        self._num_trials = int(min(num_trials, plan.num_combinations))
        self._wanted = num_trials
        self._out = out
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show how it goes on while this lasts."""
        self._bar.add_task("", total=self._num_trials)
        with self._bar:
            yield

    def opened(self, trials: Sequence[Trial]) -> None:
        """Show what is going to be tried, and where it goes on."""
        plan = self._plan
        self._line("command", plan.command.text({}))
        for parameter in plan.parameters:
            self._line(f"--{parameter.name}", parameter.describe())
        self._line("judged by", f"{'lowest' if plan.minimize else 'highest'} {plan.metric}")
        if "loss" in plan.metric and not plan.minimize:
            report(
                f"the highest {plan.metric} counts as the best; if the lowest shall, add --minimize"
            )
        if self._num_trials < self._wanted:
            self._line("trials", f"{self._num_trials}, as there are no more combinations")
        num_ended = sum(trial.state != RUNNING for trial in trials)
        if trials:
            complete = num_ended == len(trials) >= self._num_trials
            how = "is complete" if complete else "goes on"
            self._line(
                "sweep", f"{self._out} {how}: {num_ended} of {self._num_trials} trials have ended"
            )
        self._bar.update(self._bar.task_ids[0], completed=num_ended)

    def began(self, trial: Trial, again: bool) -> None:
        """Say in the bar which trial it is."""
        how = "again, " if again else ""
        self._describe(f"trial {trial.number}: {how}{_listed(trial.values)}")

    def ended(self, trial: Trial, trials: Sequence[Trial]) -> None:
        """Print the line of a trial."""
        self._bar.update(self._bar.task_ids[0], advance=1)
        if trial.value is None:
            outcome = f"failed, as it {trial.why}"
        else:
            is_best = self._plan.best(trials) == trial
            outcome = f"{self._plan.metric} {trial.value:.6g}{', the best so far' * is_best}"
        self._line(f"trial {trial.number}", f"{_listed(trial.values)}: {outcome}")

    def testing(self, trial: Trial) -> None:
        """Say in the bar that the winner is tested."""
        self._describe(f"testing trial {trial.number}")

    def conclude(self, result: Result, picture: Path | None) -> None:
        """Print the table, the winner, and where everything is."""
        self._console.print()
        # a line of the table stays one, however long it is, where nobody looks at the width
        width = None if self._console.is_terminal else _FILE_WIDTH
        self._console.print(_table(self._plan, result.trials), width=width)
        winner = result.winner
        self._console.print()
        self._line("best", f"trial {winner.number}: {self._plan.command.text(winner.values)}")
        for name, value in sorted(result.test.items()):
            self._line(name.replace("_", " "), _test_text(name, value))
        for trial in (trial for trial in result.trials if trial.state == FAILED):
            path = trial_folder(self._out, trial) / OUTPUT
            self._line("failed", f"trial {trial.number} {trial.why}: see {path}")
        self._line("run", str(trial_folder(self._out, winner)))
        self._line("table", str(self._out / TABLE))
        without = "not drawn: pip install 'refluid[plot]' for matplotlib"
        self._line("picture", str(picture or without))

    def _describe(self, text: str) -> None:
        self._bar.update(self._bar.task_ids[0], description=_plain(text))

    def _line(self, name: str, text: str) -> None:
        self._console.print(f"{name:<14}{_plain(text)}")


def _table(plan: Plan, trials: Sequence[Trial]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    names = [parameter.name for parameter in plan.parameters]
    for name in ("trial", *names, plan.metric, "steps"):
        table.add_column(Text(name), justify="right", overflow="fold")
    for trial in in_order(plan, trials):
        value = "failed" if trial.value is None else f"{trial.value:.6g}"
        steps = "" if trial.num_steps is None else f"{trial.num_steps:,}"
        cells = (str(trial.number), *(trial.values[name] for name in names), value, steps)
        table.add_row(*(Text(_plain(cell)) for cell in cells))
    return table


def _listed(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _test_text(name: str, value: float) -> str:
    return f"{100 * value:.2f}%" if name.endswith("accuracy") else f"{value:.6g}"


def _plain(text: str) -> str:
    """Return text without what could move the cursor or colour the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
