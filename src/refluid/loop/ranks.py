"""What the processes of one run agree about, so that all do the same at the same step.

Whether to save, to stop, to end or to fail is decided by all: each says at the end of a step what
it wants, and what any of them wants is done by all at the end of the next one. So nobody waits for
the answer, which travels while the next step is made. Only at the end of an epoch is it waited for,
so that a run which ends there, as by lost patience, does so at once. An answer that is on its way
when a checkpoint is made is part of it.

A process alone is asked nothing: what it wants is done.
May import: torch, distributed, errors, loop.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import torch
from torch import distributed as torch_distributed

from refluid import env
from refluid.distributed.group import Group, join, joined
from refluid.distributed.ordered import sum_in_order
from refluid.errors import CheckpointError, DistributedError, RefluidError, RunError

__all__ = ["Ranks", "Wish"]

T = TypeVar("T")

# a later one stands for all before it
_DUE = (None, "asked", "steps", "time", "epoch")
_STOP = (None, "max_time_s", "SIGUSR1", "SIGINT", "SIGTERM")
_AGREE = "agree about step {:,}"


class Wish(NamedTuple):
    """What a process wants to be done at the end of a step.

    Args:
        due: why a save is due, or None.
        stop: why the run is to stop, or None.
        ends: the loop is to end.
        busy: a checkpoint is still being written.
        fails: in writing one it was found that the run cannot go on.
    """

    due: str | None = None
    stop: str | None = None
    ends: bool = False
    busy: bool = False
    fails: bool = False


class Ranks:
    """The processes of a run, as one of them sees them.

    Attributes:
        rank: this one's number.
        count: how many there are.
    """

    def __init__(self) -> None:
        self.group: Group | None = None
        self.rank, self.count = 0, 1
        self._channel: Any = None
        self._votes: torch.Tensor | None = None
        self._work: Any = None
        self._voted: Wish | None = None
        self._step = 0

    def meet(self) -> None:
        """Meet the other processes of this launch, if there are any.

        Raises:
            DistributedError: they cannot be found, or are not those that they should be.
            PeerLost: one does not come.

        Effects:
            A collective; see `refluid.distributed.join`.
        """
        group = joined() or (join() if env.world_size() > 1 else None)
        if group is None or group.world_size == 1:
            return
        self.group = group
        self.rank, self.count = self.group.rank, self.group.world_size
        with self.group.waiting("connect to the other ranks"):
            # apart from the program's own collectives, whose order it does not disturb
            self._channel = torch_distributed.new_group(
                backend="gloo", timeout=datetime.timedelta(seconds=self.group.timeout_s)
            )

    def leave(self, error: BaseException | None) -> None:
        """Take part in nothing any more.

        Args:
            error: what the run ends with, or None.
        """
        if self.group is None:
            return
        if isinstance(error, RuntimeError) and not isinstance(error, RefluidError):
            # a collective of the program's own may have failed: who is lost is not waited for
            self.group.give_up()
        if self._work is None and torch_distributed.is_initialized():
            torch_distributed.destroy_process_group(self._channel)

    @property
    def leads(self) -> bool:
        """Whether this process writes the journal, and speaks for all."""
        return self.rank == 0

    def from_leader(self, make: Callable[[], T], what: str) -> T:
        """Return what rank 0 makes, which JSON can hold; or raise its error everywhere."""
        if self.group is None:
            return make()
        told: dict[str, Any] | None = None
        error: RefluidError | None = None
        made: Any = None
        if self.leads:
            try:
                made = make()
                told = {"made": made}
            except (RunError, CheckpointError) as caught:
                error = caught
                told = {"error": str(caught), "kind": type(caught).__name__}
        answer = self.group.gather(told, what)[0]
        if error is not None:
            raise error
        if "error" in answer:
            kind = CheckpointError if answer["kind"] == "CheckpointError" else RunError
            raise kind(answer["error"])
        return answer["made"]

    def together(self, make: Callable[[], T], what: str) -> T:
        """Return what this process makes, unless it fails in any of them."""
        if self.group is None:
            return make()
        made: Any = None
        error: RefluidError | None = None
        try:
            made = make()
        except (RunError, CheckpointError) as caught:
            error = caught
        errors = self.group.gather(None if error is None else str(error), what)
        if error is not None:
            raise error
        for rank, text in enumerate(errors):
            if text is not None:
                raise RunError(f"rank {rank} cannot {what}: {text}")
        return made

    def check_same(self, value: Any, what: str) -> None:
        """See to it that all processes have the same value.

        Raises:
            RunError: they have not.
        """
        if self.group is None:
            return
        values = self.group.gather(value, f"compare {what}")
        for rank, theirs in enumerate(values):
            if theirs != values[0]:
                raise RunError(
                    f"rank {rank} has {theirs!r} as {what}, and rank 0 {values[0]!r}: it must be "
                    "the same in all processes of a run."
                )

    def prepare(self, obj: Any) -> None:
        """Have an object that is tracked compute the same in a process that goes on."""
        if self.group is not None and isinstance(obj, torch.nn.Module):
            sum_in_order(obj, self.group)

    # --- at the end of a step -----------------------------------------------------------------

    def agree(self, step: int, wish: Wish, last: bool) -> Wish:
        """Say what this process wants, and return what all do now.

        Args:
            step: how many steps are complete.
            wish: of this process.
            last: it was the epoch's last step.

        Raises:
            DistributedError: another process is at another step.
            PeerLost: another process has ended, or does not come to this step's end in time.
        """
        if self.group is None:
            # what several processes had agreed on when they saved
            ends, self._voted = self.pending(), None
            return wish._replace(ends=wish.ends or ends)
        before = self._answer()
        if before.due is not None and not before.busy:
            # it is saved now
            wish = wish._replace(due=wish.due if last else None)
        with self.group.waiting(_AGREE.format(step)):
            self._votes = torch.tensor(_numbers(step, wish, last), dtype=torch.int64)
            self._step, self._voted = step, None
            self._work = torch_distributed.all_reduce(
                self._votes, torch_distributed.ReduceOp.MAX, group=self._channel, async_op=True
            )
        if not last:
            return before
        now = self._answer()
        self._voted = Wish()
        return _either(before, now)

    def pending(self) -> bool:
        """Wait for the answer that is on its way, and return whether by it the loop will end."""
        if self.group is None:
            return self._voted is not None and self._voted.ends
        return self._answer().ends

    def resume(self, ends: bool) -> None:
        """Begin a loop, with the answer that was on its way in the checkpoint."""
        self._voted = Wish(ends=ends)

    def _answer(self) -> Wish:
        if self._voted is None:
            assert self.group is not None
            assert self._votes is not None
            with self.group.waiting(_AGREE.format(self._step)):
                self._work.wait()
            self._work = None
            most, least, last, not_last, due, stop, ends, busy, fails = self._votes.tolist()
            if most != -least or last != -not_last:
                raise DistributedError(self._apart(most, -least))
            self._voted = Wish(_DUE[due], _STOP[stop], bool(ends), bool(busy), bool(fails))
        return self._voted

    def _apart(self, most: int, least: int) -> str:
        if most == least:
            return (
                f"step {most - 1:,} is the last of its epoch in some ranks and not in others: "
                "give every rank the same number of batches, as `Batches(..., shard=...)` does."
            )
        return (
            f"rank {self.rank} has completed {self._step:,} steps, but others {least:,} or "
            f"{most:,}: every rank has to go through the same loops of the run."
        )


def _numbers(step: int, wish: Wish, last: bool) -> list[int]:
    return [
        *(step, -step, int(last), -int(last)),
        *(_DUE.index(wish.due), _STOP.index(wish.stop)),
        *(int(wish.ends), int(wish.busy), int(wish.fails)),
    ]


def _either(first: Wish, second: Wish) -> Wish:
    return Wish(
        due=max(first.due, second.due, key=_DUE.index),
        stop=max(first.stop, second.stop, key=_STOP.index),
        ends=first.ends or second.ends,
        busy=second.busy,
        fails=first.fails or second.fails,
    )
