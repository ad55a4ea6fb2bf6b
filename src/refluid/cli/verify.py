"""`refluid verify`: its options, and what it shows of a proof.

What loads torch is imported when the command runs, so that `--help` does not wait for it.
May import: rich, errors, loop.
"""

from __future__ import annotations

import contextlib
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from refluid.errors import RunError

if TYPE_CHECKING:
    from refluid.proof.outcome import Kill, Outcome, Reference

__all__ = ["verify"]

_INTERRUPTED = 130


def verify(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND",
            help="The program and its arguments, as it is started otherwise.",
            show_default=False,
        ),
    ],
    kills: Annotated[
        int, typer.Option(metavar="N", min=1, help="How often the program is killed.")
    ] = 10,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Of what is drawn: what each kill is aimed at.")
    ] = 1,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where the runs go, a new folder that stays. Without it they are removed, unless "
            "something is wrong.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Prove that a program goes on bit for bit, by killing it.

    The program runs once uninterrupted. Then it runs again in a fresh folder, is killed with
    SIGKILL at random instants, in the middle of saving too, and is started again each time, until
    it comes to its end. Every metric of every step, the whole state after every step, and the last
    checkpoint must be the same bits. If they are not, the first step that differs is named, and
    what differs in it; the exit status is 1.

    It works for any program that uses `refluid.Run`. The directories of its runs are made in
    another place, so that its own stay as they are; what else it writes is written again and
    again. It takes about as long as three executions, and a start for each kill.

    - `refluid verify -- python train.py`

    - `refluid verify --kills 50 -- python train.py --epochs 3`

    - `refluid verify --keep proof -- python -m refluid course.py`
    """
    folder = _folder(keep)
    # this loads torch
    from refluid.proof.proof import Proof

    screen = _Screen(kills)
    try:
        with screen.shown():
            outcome = Proof(command, kills, seed, folder, screen).run()
    except KeyboardInterrupt:
        _remove(folder, keep)
        typer.echo("Stopped; nothing that was started is left.", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    except BaseException:
        _remove(folder, keep)
        raise
    screen.conclude(outcome)
    if outcome.finding is not None:
        screen.line("files", str(folder))
        raise typer.Exit(1)
    _remove(folder, keep)


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="refluid-verify-"))
    try:
        keep.mkdir(parents=True)
    except OSError as error:
        raise RunError(
            f"`--keep` must be a new folder, but {keep} cannot be made ({error.strerror}): choose "
            "another name."
        ) from None
    return keep


def _remove(folder: Path, keep: Path | None) -> None:
    if keep is None:
        shutil.rmtree(folder, ignore_errors=True)


class _Screen:
    """The terminal, or the file, that a proof is shown on; a `Witness`."""

    def __init__(self, num_kills: int) -> None:
        # what is shown holds paths of the user's, which must not be wrapped or taken for markup
        self._console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._num_kills = num_kills
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[status]}", markup=False),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show how it goes on while this lasts."""
        self._bar.add_task("uninterrupted", total=None, status="")
        with self._bar:
            yield

    def referred(self, reference: Reference) -> None:
        """Show what the program does when it is left alone."""
        runs = "" if reference.num_runs == 1 else f" in {reference.num_runs} runs"
        self.line(
            "reference",
            f"{reference.num_steps:,} steps{runs}: {reference.opening_s:.1f} s to start, "
            f"{reference.training_s:.1f} s to train, {1000 * reference.save_s:.1f} ms for a save",
        )
        self._bar.update(
            self._bar.task_ids[0], description="killing", total=self._num_kills, completed=0
        )

    def killed(self, kill: Kill) -> None:
        """Move the bar."""
        where = "saving" if kill.saving else kill.aim.value
        status = f"{where}, after step {kill.num_steps:,}"
        self._bar.update(self._bar.task_ids[0], advance=1, status=status)

    def compared(self, number: int, num_kills: int) -> None:
        """Print the line of a round."""
        self.line(f"round {number}", f"{_counted(num_kills, 'kill')}; the same bits")

    def conclude(self, outcome: Outcome) -> None:
        """Print the table, and what was found."""
        self._console.print()
        for name, text in _table(outcome):
            self._console.print(f"{name:<26}{text}")
        self._console.print()
        if outcome.finding is None:
            self._console.print("Every step, every state, the last checkpoint: the same bits.")
        else:
            self._console.print(outcome.finding)

    def line(self, name: str, text: str) -> None:
        """Print a name and what there is to say of it."""
        self._console.print(f"{name:<11}{text}")


def _table(outcome: Outcome) -> Iterator[tuple[str, str]]:
    kills = outcome.kills
    yield "kills", str(len(kills))
    for aim in sorted({kill.aim.value for kill in kills}):
        yield f"  aimed at {aim}", str(sum(kill.aim.value == aim for kill in kills))
    yield "  while saving", str(sum(kill.saving for kill in kills))
    yield "  while deleting", str(sum(kill.deleting for kill in kills))
    yield "  with no step between", str(sum(kill.again for kill in kills))
    resumed, again = outcome.resumed_from, outcome.done_again
    if resumed:
        yield (
            "resumed",
            f"{len(resumed)} times, after {min(resumed):,} to {max(resumed):,} steps",
        )
        yield "steps done again", f"median {statistics.median(again):g}, at most {max(again):,}"
    yield "rounds compared", str(outcome.num_rounds)
    if outcome.ignored:
        count = _counted(len(outcome.ignored), "state")
        yield "not compared", f"{count} of generators that are neither seeded nor used"
    yield "first difference", "none" if outcome.finding is None else "below"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
