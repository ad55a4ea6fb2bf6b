"""A trainer's connection to the servers: gradients go out, values come back.

One call to each server makes a step: it carries the gradients and is answered with the new values.
A server that is lost is waited for, and told again what it needs; another trainer that is waited
for is named, first in a message, then, when the timeout is over, in an error.

If the program itself has changed parameters since the last step, as by loading a checkpoint, that
is found by comparing bytes, and put in place on the servers.
May import: torch, env, state, errors, distributed.group; its own package.
"""

from __future__ import annotations

import atexit
import contextlib
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from refluid import env
from refluid.distributed.group import joined
from refluid.distributed.server import ready, registry
from refluid.distributed.server.actor import actor_name
from refluid.distributed.server.assignment import assign
from refluid.distributed.server.buffer import Buffer, pack, plain, spec_of, unpack
from refluid.distributed.server.cluster import connected, load_ray
from refluid.distributed.server.message import Answer, Push, Unready
from refluid.distributed.server.plan import ServerPlan
from refluid.distributed.server.rule import Rule
from refluid.errors import DistributedError, PeerLost
from refluid.state import tree

__all__ = ["Trainer"]

_FIRST_NOTICE_S = 5.0
_NOTICE_S = 30.0
_LOOK_S = 1.0
_AGAIN_S = 0.2


class _Part:
    """What one server holds of the model, as the trainer knows it."""

    def __init__(
        self, actor: Any, model: int, indices: list[int], parameters: Sequence[Any]
    ) -> None:
        self._actor = actor
        self._model = model
        self.indices = indices
        self.parameters = [parameters[k] for k in indices]
        self.specs: list[Any] = []
        self.generation = 0
        self.equipped = False
        # what the parameters were when they last came from the server
        self.pulled: bytes = b""

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the server's shard, and return what Ray will have the answer by."""
        return self._actor.call.remote(self._model, method, *arguments)

    def waiting(self) -> Any:
        """Ask which trainers are waited for."""
        return self._actor.waiting.remote(self._model)

    def pack(self) -> Buffer:
        return pack(self.parameters)

    @torch.no_grad()
    def take(self, answer: Answer) -> None:
        """Put the server's values into the parameters."""
        for parameter, value in zip(
            self.parameters, unpack(answer.values, self.specs), strict=True
        ):
            # `data`: a graph that was built before an update may still run backward after it
            parameter.data.copy_(value)
        self.generation, self.equipped = answer.generation, answer.equipped
        self.pulled = answer.values.tobytes()


class Trainer:
    """What one process of the program talks to the servers by.

    Args:
        parameters: all parameters of the model by name, in the same order in all trainers.

    Attributes:
        step: how many steps this trainer has made.

    Effects:
        Nothing before `open`.
    """

    def __init__(self, parameters: Mapping[str, torch.Tensor]) -> None:
        text = env.servers()
        if text is None:
            raise DistributedError(
                "no launcher has started parameter servers: start the program by "
                "`refluid launch --mode ps --servers S --trainers T`."
            )
        self.plan = ServerPlan.decode(text)
        self.rank = env.rank()
        self.step = 0
        self._names = list(parameters)
        self._parameters = list(parameters.values())
        self._timeout_s = env.timeout_s()
        self._rule: Rule | None = None
        self._new_state: list[dict[str, Any]] | None = None
        self._stack = contextlib.ExitStack()
        self._parts: list[_Part] = []
        if self.rank >= self.plan.num_trainers:
            raise DistributedError(
                f"this is rank {self.rank}, but there are {self.plan.num_trainers} trainers: "
                "start the program by `refluid launch --mode ps --trainers T`."
            )

    # --- beginning and end ----------------------------------------------------------------------

    def open(self) -> None:
        """Meet the servers, and take the parameters that all trainers begin with.

        Raises:
            DistributedError: there are no servers, or the model is not that of rank 0.
            PeerLost: rank 0 does not come.

        Effects:
            Connects to Ray. Writes the parameters. At the process's end `close` is called.
        """
        model = registry.add(self)
        if not load_ray().is_initialized():
            address = ready.wait(Path(self.plan.ready_file), self._timeout_s)
            self._stack.enter_context(connected(address, self.plan.namespace))
        atexit.register(self.close)
        named = zip(self._names, map(plain, self._parameters), strict=True)
        specs = {name: spec_of(name, value) for name, value in named}
        number = {name: k for k, name in enumerate(self._names)}
        sizes = {name: spec.num_bytes for name, spec in specs.items()}
        for index, names in enumerate(assign(sizes, self.plan.num_servers)):
            part = _Part(self._actor(index), model, [number[n] for n in names], self._parameters)
            part.specs = [specs[name] for name in names]
            self._parts.append(part)
        answers = self._ask("hello", self._greeting)
        for part, answer in zip(self._parts, answers, strict=True):
            part.take(answer)
        self.step = self._first_step([answer.step for answer in answers])

    def _first_step(self, steps: Sequence[int]) -> int:
        """Return the step after which this trainer goes on.

        Its process before this one may have come to some servers with its last gradients and not to
        others: these get new ones, the former answer as if they were sent twice. A server that is
        farther behind has come back from a checkpoint, and takes any.
        """
        if self.plan.mode == "async":
            return max(steps)
        return max(min(steps), max(steps) - 1)

    def close(self) -> None:
        """Tell the servers that this trainer has come to its end, unless it has failed."""
        atexit.unregister(self.close)
        registry.remove(self)
        if not self._parts:
            return
        if getattr(sys, "last_type", None) is None:
            ray = load_ray()
            with contextlib.suppress(ray.exceptions.RayError):
                ray.get([part.call("leave", self.rank) for part in self._parts])
        self._parts = []
        self._stack.close()

    def holds(self, parameter: torch.Tensor) -> bool:
        """Return whether a parameter is one of those on the servers."""
        return any(parameter is own for own in self._parameters)

    @property
    def parameters(self) -> list[torch.Tensor]:
        """All parameters, in the order that all trainers have."""
        return list(self._parameters)

    def _actor(self, index: int) -> Any:
        try:
            return load_ray().get_actor(actor_name(index), namespace=self.plan.namespace)
        except ValueError:
            raise DistributedError(
                f"there is no parameter server {index} any more: the launcher that started it has "
                "ended, so start the program again."
            ) from None

    def _greeting(self, part: _Part) -> tuple[Any, ...]:
        return self.rank, part.specs, part.pack(), self.step, part.generation

    # --- steps --------------------------------------------------------------------------------

    def update(self, rule: Rule, gradients: Sequence[torch.Tensor | None]) -> None:
        """Have the servers apply gradients, and take the new parameters.

        Args:
            rule: the program's optimizer, of all parameters.
            gradients: of each parameter, or None.

        Raises:
            PeerLost: another trainer does not come, has ended, or was started again.
            DistributedError: trainers do not fit together, or a server could not compute.
        """
        self._equip(rule)
        self._put_back()
        settings = rule.settings()

        def push(part: _Part) -> tuple[Push]:
            own = [gradients[k] for k in part.indices]
            dense = [_dense(gradient) for gradient in own if gradient is not None]
            present = [g is not None for g in own]
            return (
                Push(self.rank, self.step + 1, part.generation, settings, present, pack(dense)),
            )

        answers = self._ask("push", push)
        self.step += 1
        for part, answer in zip(self._parts, answers, strict=True):
            part.take(answer)

    def _equip(self, rule: Rule) -> None:
        if rule.whole and self.plan.num_servers > 1:
            raise DistributedError(
                f"the optimizer looks at all parameters together, as a clip by their global norm "
                f"does, but they are split over {self.plan.num_servers} servers: use `--servers 1`."
            )
        self._rule = rule
        missing = [part for part in self._parts if not part.equipped]
        if missing:
            self._ask("equip", lambda part: (rule.part(part.indices),), missing)
        for part in missing:
            part.equipped = True

    def _put_back(self) -> None:
        """Give the servers the state that the program has put in place, if it has."""
        packed = [part.pack() for part in self._parts]
        changed = any(
            part.pulled != mine.tobytes() for part, mine in zip(self._parts, packed, strict=True)
        )
        if not changed and self._new_state is None:
            return
        state, values = self._new_state, dict(zip(map(id, self._parts), packed, strict=True))

        def restore(part: _Part) -> tuple[Any, ...]:
            own = None if state is None else tree.pack([state[k] for k in part.indices])
            return self.rank, self.step, values[id(part)], own

        for part, answer in zip(self._parts, self._ask("restore", restore), strict=True):
            part.take(answer)
        self._new_state = None

    # --- the optimizer's state ------------------------------------------------------------------

    def fetch_state(self, rule: Rule) -> None:
        """Have `rule` remember what the servers remember, unless it was given another state."""
        if self._new_state is not None:
            return
        state: list[dict[str, Any]] = [{} for _ in self._parameters]
        for part, packed in zip(self._parts, self._ask("state", lambda part: ()), strict=True):
            for k, entries in zip(part.indices, tree.unpack(packed), strict=True):
                state[k] = entries
        rule.load(state)

    def put_state(self, rule: Rule) -> None:
        """Have the servers remember what `rule` does, from the next step on."""
        self._new_state = rule.state()

    # --- calls --------------------------------------------------------------------------------

    def _ask(
        self,
        method: str,
        arguments: Callable[[_Part], tuple[Any, ...]],
        parts: Sequence[_Part] | None = None,
    ) -> list[Any]:
        """Call a method of each server, and return their answers."""
        ray = load_ray()
        parts = self._parts if parts is None else parts
        begin = time.monotonic()
        pending = {k: p.call(method, *arguments(p)) for k, p in enumerate(parts)}
        answers: dict[int, Any] = {}
        notice_s = min(_FIRST_NOTICE_S, self._timeout_s)
        group = joined()
        while pending:
            ready, _ = ray.wait(list(pending.values()), num_returns=len(pending), timeout=_LOOK_S)
            for k in [k for k, ref in pending.items() if ref in ready]:
                ref = pending.pop(k)
                try:
                    answers[k] = self._said(ray.get(ref))
                except (ray.exceptions.RayActorError, ray.exceptions.RayTaskError) as error:
                    _raise_unless_lost(error)
                    self._return_to(parts[k], begin)
                    pending[k] = parts[k].call(method, *arguments(parts[k]))
            if not pending or ready:
                continue
            if group is not None:
                group.check_whole()
            waited_s = time.monotonic() - begin
            if waited_s >= notice_s:
                self._complain(parts[next(iter(pending))], waited_s)
                notice_s = min(waited_s + _NOTICE_S, max(waited_s, self._timeout_s))
        return [answers[k] for k in range(len(parts))]

    def _said(self, answer: Any) -> Any:
        if isinstance(answer, Answer) and answer.begun:
            self._say(answer.begun)
        return answer

    def _return_to(self, part: _Part, begin: float) -> None:
        """Bring a server that was lost, and that Ray has started again, what it needs."""
        ray = load_ray()
        while True:
            try:
                answer = self._said(ray.get(part.call("hello", *self._greeting(part))))
                part.equipped = answer.equipped
                if self._rule is not None:
                    ray.get(part.call("equip", self._rule.part(part.indices)))
                    part.equipped = True
                return
            except (ray.exceptions.RayActorError, ray.exceptions.RayTaskError) as error:
                _raise_unless_lost(error)
                if time.monotonic() - begin > self._timeout_s:
                    raise PeerLost(
                        f"rank {self.rank}: a parameter server was lost and has not come back "
                        f"within {self._timeout_s:g} s: {error}"
                    ) from None
                time.sleep(_AGAIN_S)

    def _complain(self, part: _Part, waited_s: float) -> None:
        ray = load_ray()
        try:
            whom = ray.get(part.waiting(), timeout=_FIRST_NOTICE_S)
        except ray.exceptions.RayError:
            whom = "a server"
        text = f"has waited {waited_s:.0f} s for {whom} at step {self.step + 1:,}"
        if waited_s >= self._timeout_s:
            raise PeerLost(
                f"rank {self.rank} {text}, and gives up: see why it does not go on, or give a "
                "longer `--timeout`."
            )
        self._say(f"rank {self.rank} {text}; it goes on when that is there again.")

    def _say(self, text: str) -> None:
        sys.stderr.write(f"refluid: {text}\n")
        sys.stderr.flush()


def _dense(gradient: torch.Tensor) -> torch.Tensor:
    gradient = plain(gradient)
    return gradient.to_dense() if gradient.is_sparse else gradient


def _raise_unless_lost(error: Any) -> None:
    """Raise what went wrong on a server, as this process would have raised it."""
    cause = getattr(error, "cause", None)
    if cause is None or isinstance(cause, Unready):
        return
    if isinstance(cause, DistributedError):
        raise cause from None
    raise DistributedError(
        f"a parameter server has failed: {type(cause).__name__}: {cause}"
    ) from None
