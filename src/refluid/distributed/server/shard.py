"""One parameter server: the values it holds, the rounds of its trainers, and its checkpoints.

All methods run in one event loop, so what stands between two `await`s happens at once. A push says
which step of its trainer it belongs to: one that is sent again, because a server or an answer was
lost, is answered and not applied again. When a program puts another state in place, as after a
restart, the generation goes up, and pushes of the one before are refused.

A server that was lost is begun again by the first trainer that comes back to it: it reads its
newest checkpoint, and takes the trainer's values if these are newer.
May import: torch, state, errors; its own package's buffer,
message, plan, rule.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import torch

from refluid.distributed.server.buffer import Buffer, Spec, pack, spec_of, unpack
from refluid.distributed.server.message import Answer, Push, Store, Unready
from refluid.distributed.server.plan import ServerPlan
from refluid.distributed.server.rule import Rule
from refluid.errors import DistributedError, PeerLost
from refluid.state import tree

__all__ = ["Shard"]

_KEPT = 2


class Shard:
    """The state of one server.

    Args:
        index: which of the servers it is.
        plan: how trainers and servers work together.
        store: for its checkpoints.
    """

    def __init__(self, index: int, plan: ServerPlan, store: Store) -> None:
        self._index = index
        self._plan = plan
        self._store = store
        self._num_saved = max(store.steps(), default=-1) + 1
        self._lost = self._num_saved > 0
        self._specs: Sequence[Spec] | None = None
        self._values: Sequence[torch.Tensor] = []
        self._packed: Buffer | None = None
        self._rule: Rule | None = None
        # kept for the rule that has not come yet
        self._state: Sequence[dict[str, Any]] = []
        self._step = 0
        self._generation = 0
        self._clocks = dict.fromkeys(range(plan.num_trainers), 0)
        self._pending: dict[int, Push] = {}
        self._finished: set[int] = set()
        self._gone: set[int] = set()
        # those that were started again, and may not know yet how far the others are
        self._returned: set[int] = set()
        self._restored = b""
        self._restored_by: set[int] = set()
        self._failure: Exception | None = None
        self._changed = asyncio.Event()

    # --- beginning ----------------------------------------------------------------------------

    async def hello(
        self, rank: int, specs: Sequence[Spec], values: Buffer, step: int, generation: int
    ) -> Answer:
        """Take a trainer in, and wait until there are values for it.

        Args:
            rank: the trainer. Rank 0 brings the values that all begin with.
            specs: the parameters that this server holds.
            values: theirs, in the trainer.
            step: how many steps the trainer has made; above 0 it comes back to a server that was
                lost, and brings values too.
            generation: as the trainer knows it.

        Raises:
            DistributedError: the trainer's parameters are others than those that are held.
        """
        begun = ""
        if self._specs is None and (rank == 0 or step > 0 or self._lost):
            begun = self._begin(specs, values, step, generation)
        await self._until(lambda: self._specs is not None)
        self._compare(rank, specs)
        self._come(rank, step)
        return self._answer(rank, begun)

    def _begin(self, specs: Sequence[Spec], values: Buffer, step: int, generation: int) -> str:
        found = self._store.newest() if self._lost else None
        saved = None if found is None else tree.unpack(found.packed)
        if saved is not None:
            self._fit(saved["values"], specs)
        self._values = list(unpack(values, specs))
        self._specs, self._step, self._generation = specs, step, generation
        self._clocks = dict.fromkeys(self._clocks, step)
        text = ""
        if saved is not None:
            self._state = saved["state"]
            if saved["step"] >= step:
                self._step, self._clocks = saved["step"], dict(saved["clocks"])
                self._values = saved["values"]
            text = f"its checkpoint of step {saved['step']:,}"
        elif step > 0:
            text = "the values of a trainer, as it had no checkpoint yet"
        self._change()
        return text and f"server {self._index} was lost and has come back from {text}."

    def _fit(self, values: Sequence[torch.Tensor], specs: Sequence[Spec]) -> None:
        held = [spec_of(spec.name, value) for value, spec in zip(values, specs, strict=False)]
        if len(values) != len(specs) or held != list(specs):
            raise DistributedError(
                f"the checkpoints of server {self._index} are of another model: each launch needs "
                "a folder of its own for them."
            )

    def _compare(self, rank: int, specs: Sequence[Spec]) -> None:
        assert self._specs is not None
        mine, other = list(map(str, self._specs)), list(map(str, specs))
        if mine != other:
            only = [f"{text} is missing" for text in mine if text not in other][:3]
            more = [f"{text} is only there" for text in other if text not in mine][:3]
            raise DistributedError(
                f"rank {rank} has other parameters than rank 0: "
                f"{'; '.join(only + more) or 'their order differs'}. All trainers must make the "
                "same model."
            )

    def _come(self, rank: int, step: int) -> None:
        if step < self._step:
            self._returned.add(rank)
        self._gone.discard(rank)
        self._finished.discard(rank)
        # those that it has failed have heard of it; one that was started again may do better
        self._failure = None
        if self._plan.mode == "async":
            # one that was away is not waited for until it has made up for it
            others = [self._clocks[k] for k in self._here() - {rank}]
            self._clocks[rank] = max(self._clocks[rank], min(others, default=0))

    async def equip(self, rule: Rule) -> None:
        """Take the optimizer, unless there is one."""
        if self._rule is not None:
            return
        with torch.no_grad():
            for value, current in zip(rule.values(), self._values, strict=True):
                value.copy_(current)
        if self._state:
            rule.load(self._state)
        self._rule, self._values, self._state = rule, rule.values(), []

    # --- rounds -------------------------------------------------------------------------------

    async def push(self, push: Push) -> Answer:
        """Apply gradients, with those of the other trainers or alone, and return the values.

        Raises:
            PeerLost: another trainer has ended, or gone back to an earlier state.
            DistributedError: the trainers' settings differ.
            Unready: the server has begun again.
        """
        if self._rule is None:
            raise Unready("the server has no optimizer yet.")
        self._check(push)
        if self._plan.mode == "sync":
            await self._together(push)
        else:
            await self._alone(push)
        return self._answer(push.rank)

    async def _together(self, push: Push) -> None:
        if push.step <= self._step:
            return
        self._pending[push.rank] = push
        if len(self._pending) == self._plan.num_trainers:
            pushes = [self._pending[rank] for rank in sorted(self._pending)]
            self._pending.clear()
            self._update(pushes)
        await self._until(lambda: self._step >= push.step, push)

    async def _alone(self, push: Push) -> None:
        if push.step > self._clocks[push.rank]:
            self._update([push])
        await self._until(lambda: self._ahead(push.rank) <= self._plan.staleness, push)

    def _ahead(self, rank: int) -> int:
        return self._clocks[rank] - min(self._clocks[k] for k in {rank, *self._here()})

    def _here(self) -> set[int]:
        return set(self._clocks) - self._finished - self._gone

    def _update(self, pushes: Sequence[Push]) -> None:
        try:
            self._apply(pushes)
        except Exception as error:
            # those that wait for this round have to know
            self._failure = error
            self._change()
            raise
        for push in pushes:
            self._clocks[push.rank] = max(self._clocks[push.rank], push.step)
        if self._plan.mode == "sync":
            self._step = max(push.step for push in pushes)
        else:
            self._step += 1
        if self._step % self._plan.save_every_steps == 0:
            self._save()
        self._change()

    def _apply(self, pushes: Sequence[Push]) -> None:
        assert self._rule is not None
        specs = self._known()
        settings = self._settings(pushes)
        sums: list[torch.Tensor | None] = [None] * len(specs)
        # in the order of ranks, so that the bits are the same each time
        for push in pushes:
            indices = [k for k, present in enumerate(push.present) if present]
            parts = unpack(push.gradients, [specs[k] for k in indices])
            for k, part in zip(indices, parts, strict=True):
                total = sums[k]
                sums[k] = part if total is None else total.add_(part)
        if self._rule.averaged:
            for total in sums:
                if total is not None:
                    total.div_(self._plan.num_trainers)
        self._rule.apply(sums, settings)

    def _settings(self, pushes: Sequence[Push]) -> Any:
        """Return the settings that trainers agree on.

        One that was started again counts only if all were: its schedule may begin anew.
        """
        known = [push for push in pushes if push.rank not in self._returned] or pushes
        first = known[0]
        for push in known:
            if push.settings != first.settings:
                raise DistributedError(
                    f"rank {push.rank} updates with {_differing(push.settings, first.settings)}, "
                    f"but rank {first.rank} with {_differing(first.settings, push.settings)}: all "
                    "trainers must have the same learning rate and options at each step."
                )
        return first.settings

    def waiting(self) -> str:
        """Return which trainers are waited for, as `rank 1` or `ranks 1, 3`."""
        if self._specs is None:
            missing = [0]
        elif self._plan.mode == "sync":
            missing = [rank for rank in self._clocks if rank not in self._pending]
        else:
            here = self._here()
            slowest = min((self._clocks[rank] for rank in here), default=0)
            missing = [rank for rank in sorted(here) if self._clocks[rank] == slowest]
        return f"rank{'s' if len(missing) > 1 else ''} {', '.join(map(str, missing))}"

    # --- leaving ------------------------------------------------------------------------------

    async def leave(self, rank: int) -> None:
        """Note that a trainer has come to its end."""
        self._finished.add(rank)
        self._change()

    async def lost(self, rank: int) -> None:
        """Note that a trainer has died: async goes on, sync waits until it is there again."""
        self._gone.add(rank)
        self._change()

    # --- state --------------------------------------------------------------------------------

    async def state(self) -> tree.Packed:
        """Return what the optimizer remembers of each parameter, in order."""
        self._known()
        return tree.pack(self._remembered())

    def _remembered(self) -> list[dict[str, Any]]:
        if self._rule is not None:
            return self._rule.state()
        return list(self._state) or [{} for _ in self._values]

    async def restore(
        self, rank: int, step: int, values: Buffer, state: tree.Packed | None
    ) -> Answer:
        """Put another state in place, for all trainers.

        The first trainer that brings it replaces what is here; the others, who bring the same,
        only learn of it.

        Args:
            rank: the trainer.
            step: how many steps the state has behind it.
            values: of the parameters.
            state: what the optimizer shall remember; None for what it does.
        """
        specs = self._known()
        digest = hashlib.sha256(b"%d " % step + values.tobytes()).digest()
        if digest != self._restored or rank in self._restored_by:
            self._generation += 1
            self._restored, self._restored_by = digest, set()
            self._pending.clear()
            self._returned.clear()
            self._failure = None
            self._step = step
            self._clocks = dict.fromkeys(self._clocks, step)
            with torch.no_grad():
                for value, new in zip(self._values, unpack(values, specs), strict=True):
                    value.copy_(new)
            if state is not None and self._rule is not None:
                self._rule.load(tree.unpack(state))
            elif state is not None:
                self._state = tree.unpack(state)
            self._save()
            self._change()
        self._restored_by.add(rank)
        return self._answer(rank)

    def _save(self) -> None:
        value = {
            "step": self._step,
            "clocks": dict(self._clocks),
            "values": list(self._values),
            "state": self._remembered(),
        }
        self._store.save(self._num_saved, tree.pack(value), {})
        self._store.retain(_KEPT)
        self._num_saved += 1

    def _known(self) -> Sequence[Spec]:
        if self._specs is None:
            raise Unready("the server has no parameters yet.")
        return self._specs

    # --- waiting ------------------------------------------------------------------------------

    def _answer(self, rank: int, begun: str = "") -> Answer:
        if self._packed is None:
            self._packed = pack(self._values)
        step = self._step if self._plan.mode == "sync" else self._clocks[rank]
        return Answer(step, self._generation, self._packed, self._rule is not None, begun)

    def _change(self) -> None:
        self._packed = None
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until(self, done: Callable[[], bool], push: Push | None = None) -> None:
        while True:
            if push is not None and push.generation != self._generation:
                self._check(push)
            if done():
                return
            if push is not None:
                self._check(push)
            await self._changed.wait()

    def _check(self, push: Push) -> None:
        """Raise what keeps a trainer from going on."""
        if self._failure is not None:
            raise self._failure
        if push.generation != self._generation:
            raise PeerLost(
                f"rank {push.rank}: the servers were put back to another state by a trainer that "
                "was started again, so this one has to start again too."
            )
        if self._plan.mode == "sync" and self._finished:
            ended = min(self._finished)
            raise PeerLost(
                f"rank {push.rank} is at step {push.step:,}, but rank {ended} has come to its end "
                f"after step {self._clocks[ended]:,}: give all trainers equally many batches."
            )


def _differing(settings: Any, other: Any) -> str:
    """Return settings as text, without those that `other` has too."""
    if isinstance(settings, list) and isinstance(other, list) and len(settings) == len(other):
        pairs = zip(settings, other, strict=True)
        return "; ".join(_differing(one, two) for one, two in pairs if one != two)
    if isinstance(settings, dict) and isinstance(other, dict):
        entries = [(k, v) for k, v in settings.items() if k not in other or other[k] != v]
        return ", ".join(f"{key}={value!r}" for key, value in entries)
    return repr(settings)
