"""What a proof comes to: the uninterrupted execution, every kill, every resumption.

May import: proof.attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from refluid.proof.attempt import Glimpse, glimpse, run_directories, unfinished

__all__ = ["Aim", "History", "Kill", "Outcome", "Reference", "Witness"]


class Aim(str, Enum):
    """What a kill is aimed at."""

    TRAINING = "training"
    SAVING = "saving"
    STARTING = "starting"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The uninterrupted execution.

    Args:
        num_runs: how many runs the program made.
        num_steps: how many steps they have together.
        opening_s: from the program's start to the opening of its first run.
        training_s: from there to the program's end.
        save_s: how long saving a checkpoint took, the median.
    """

    num_runs: int
    num_steps: int
    opening_s: float
    training_s: float
    save_s: float

    @property
    def limit_s(self) -> float:
        """How long the program may take before it counts as hanging."""
        return 10.0 * (self.opening_s + self.training_s) + 60.0


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill, and what it left behind.

    Args:
        aim: what it was aimed at.
        num_steps: how many steps were complete.
        saving: a checkpoint was being written.
        deleting: an old checkpoint was being deleted.
        again: not one step had been completed since the kill before.
        place: which process was killed, of several that had been launched; 0 is their launcher.
    """

    aim: Aim
    num_steps: int
    saving: bool
    deleting: bool
    again: bool
    place: int


@dataclass
class Outcome:
    """What a proof came to.

    Args:
        reference: the uninterrupted execution.
        kills: all kills, in their order.
        resumed_from: for each start that went on, from how many steps.
        done_again: for each of these, how many steps were done a second time.
        num_rounds: how many rounds came to their end and were compared.
        ignored: states of generators that are not compared: the program does not seed them, and
            they differ between uninterrupted executions too, but nothing else does.
        finding: what is wrong, in a few lines; None if everything is equal as bits.
    """

    reference: Reference
    kills: list[Kill] = field(default_factory=list)
    resumed_from: list[int] = field(default_factory=list)
    done_again: list[int] = field(default_factory=list)
    num_rounds: int = 0
    ignored: frozenset[str] = frozenset()
    finding: str | None = None


class Witness(Protocol):
    """Is told how a proof goes on."""

    def referred(self, reference: Reference) -> None:
        """The uninterrupted execution has ended."""
        ...

    def killed(self, kill: Kill) -> None:
        """The program has been killed."""
        ...

    def compared(self, number: int, num_kills: int) -> None:
        """Round `number`, from 1, had `num_kills` kills, and is equal to the reference."""
        ...


class History:
    """Follows a round on the disk, and writes down what its kills did.

    Args:
        runs: the folder of the round's runs.
        outcome: gets the kills and resumptions.
    """

    def __init__(self, runs: Path, outcome: Outcome) -> None:
        self._runs = runs
        self._outcome = outcome
        self._seen: dict[Path, Glimpse] = {}
        self._by_half: set[str] = set()
        self._num_kills = 0

    def look(self, aim: Aim | None, place: int | None) -> Kill | None:
        """Note what has happened since the last look.

        Args:
            aim: what the kill was aimed at, if there was to be one.
            place: which process was killed; None if the program came to its end.

        Returns:
            The kill, if there was one.
        """
        progress = False
        writing, deleting = set[str](), set[str]()
        for run in run_directories(self._runs):
            progress |= self._follow(run)
            being_written, being_deleted = unfinished(run)
            writing |= being_written - self._by_half
            deleting |= being_deleted - self._by_half
        self._by_half |= writing | deleting
        if aim is None or place is None:
            return None
        kill = Kill(
            aim=aim,
            num_steps=sum(each.num_steps for each in self._seen.values()),
            saving=bool(writing),
            deleting=bool(deleting),
            again=self._num_kills > 0 and not progress,
            place=place,
        )
        self._num_kills += 1
        self._outcome.kills.append(kill)
        return kill

    def _follow(self, run: Path) -> bool:
        """Note the new starts of one run; return whether it has done a step since."""
        before = self._seen.get(run, Glimpse([], 0))
        now = self._seen[run] = glimpse(run)
        reached = before.num_steps
        for number in range(len(before.from_steps), len(now.from_steps)):
            if number > 0:
                self._outcome.resumed_from.append(now.from_steps[number])
                self._outcome.done_again.append(max(0, reached - now.from_steps[number]))
            reached = now.from_steps[number]
        return now.num_steps > reached
