"""A split model with one stage in each process.

torch.distributed.pipelining moves what flows between the stages. It would learn the shapes in
between by running each stage in training mode, which changes a BatchNorm's statistics; so they are
told it, after a trial run that leaves no trace. Before each call the ranks compare what they are
about to do: without that, a rank that does something else would be waited for until the timeout.
May import: torch, errors, group, layers, pipeline, stage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed
from torch.distributed.pipelining import PipelineStage, Schedule1F1B, ScheduleGPipe

from refluid.distributed.group import Group
from refluid.distributed.pipeline.layers import Entry, overwrite
from refluid.distributed.pipeline.pipeline import Pipeline, Plan, misfit, plain
from refluid.distributed.pipeline.stage import Stage
from refluid.errors import DistributedError, PeerLost

__all__ = ["ProcessPipeline"]

# what is said of a tensor: number of sizes, element type, whether it needs gradients, the sizes
_HEADER = 16
# how many values of each target the ranks compare
_SAMPLE = 1024
_DTYPES = (
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
)


class ProcessPipeline(Pipeline):
    """A model split over the processes of a group.

    Args:
        group: has as many processes as there are stages.
        plan: how the model is split; the same in every process.
        stage: this process's stage.
        device: where it lives.

    Raises:
        DistributedError: the processes do not split the same model in the same way.

    Effects:
        A collective.
    """

    def __init__(self, group: Group, plan: Plan, stage: Stage, device: torch.device) -> None:
        super().__init__(plan, stage.to(device), group.rank)
        self._group = group
        self._device = device
        self._last = plan.num_stages - 1
        self._schedules: dict[bool, _Schedule] = {}
        self._own = _OwnFailure()
        _compare(group, plan)

    # --- running ------------------------------------------------------------------------------

    def step(self, inputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Run forward and backward with a batch; see `Pipeline.step`."""
        self._checked(inputs, target)
        inputs = plain(inputs)
        schedule = self._schedule(inputs, self.plan.num_microbatches, target)
        self.module.begin_step()
        shares: list[torch.Tensor] = []
        with self._running("make a step"):
            if self.rank == 0 == self._last:
                schedule.step(inputs.to(self._device), target=self._target(target), losses=shares)
            elif self.rank == 0:
                schedule.step(inputs.to(self._device))
            elif self.rank == self._last:
                schedule.step(target=self._target(target), losses=shares)
            else:
                schedule.step()
            # the value as the widest type there is, and which one it was
            loss = torch.zeros(2, dtype=torch.float64, device=self._device)
            if shares:
                loss[0] = torch.stack(shares).sum().detach()
                loss[1] = _DTYPES.index(shares[0].dtype)
            distributed.broadcast(loss, src=self._last)
        return loss[0].to(_DTYPES[int(loss[1])])

    def predict(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run forward only; see `Pipeline.predict`."""
        self._checked(inputs)
        inputs = plain(inputs)
        parts = self.plan.num_microbatches
        schedule = self._schedule(inputs, parts if len(inputs) % parts == 0 else 1, None)
        with torch.no_grad(), self._running("predict"):
            output = schedule.step(*([inputs.to(self._device)] if self.rank == 0 else []))
            return self._broadcast(output)

    def _target(self, target: torch.Tensor) -> torch.Tensor:
        return plain(target).to(self._device)

    def _broadcast(self, output: torch.Tensor | None) -> torch.Tensor:
        """Give every rank what the last one has."""
        header = torch.zeros(_HEADER, dtype=torch.int64)
        if output is not None:
            header = _header(output)
        header = header.to(self._device)
        distributed.broadcast(header, src=self._last)
        if output is None:
            shape, dtype, _ = _read_header(header)
            output = torch.empty(shape, dtype=dtype, device=self._device)
        output = output.contiguous()
        distributed.broadcast(output, src=self._last)
        return output

    @contextmanager
    def _running(self, what: str) -> Iterator[None]:
        """Tell errors of this process's own layers and those of the connections apart."""
        try:
            yield
        except Exception as error:
            if self._own.failure is not None:
                failure, self._own.failure = self._own.failure, None
                raise failure from failure.__cause__
            if not isinstance(error, RuntimeError):
                raise
            raise PeerLost(self._group.explain(what, None, error)) from None

    # --- getting ready ------------------------------------------------------------------------

    def _schedule(self, inputs: torch.Tensor, num_parts: int, target: torch.Tensor | None) -> Any:
        """Return torch's schedule for batches of such a shape, made anew when that changes.

        With a target, it is one for training.
        """
        training = target is not None
        what = "make a step" if training else "predict"
        dtype = str(inputs.dtype).removeprefix("torch.")
        key = self._agree(f"{what} with a batch of {list(inputs.shape)} {dtype}", target)
        before = self._schedules.get(training)
        if before is not None and before.key == key:
            return before.schedule
        received, given = self._boundary_shapes(inputs[: len(inputs) // num_parts])
        stage = _WatchedStage(
            self.module,
            self.rank,
            self._last + 1,
            self._device,
            input_args=received,
            output_args=given,
        )
        stage.own = self._own
        loss = self._own.noting(self.plan.share, wrapped=False) if training else None
        kind = Schedule1F1B if training and num_parts > self._last else ScheduleGPipe
        # the loss is divided already: torch would divide gradients of earlier steps once more
        schedule = kind(stage, num_parts, loss_fn=loss, scale_grads=False)
        self._schedules[training] = _Schedule(key, schedule)
        return schedule

    def _agree(self, what: str, target: torch.Tensor | None = None) -> tuple[Any, ...]:
        """Compare what the ranks are about to do; return it, and which stages are trained."""
        digest = hashlib.blake2b(what.encode() + _sample(target), digest_size=7).digest()
        trained = any(p.requires_grad for p in self.module.parameters())
        own = torch.tensor([int.from_bytes(digest, "big"), trained], device=self._device)
        all_ = [torch.empty_like(own) for _ in range(self._last + 1)]
        with self._group.waiting(what):
            distributed.all_gather(all_, own)
        found = [tensor.tolist() for tensor in all_]
        rank = next((k for k, entry in enumerate(found) if entry[0] != found[0][0]), None)
        if rank is not None:
            calls = self._group.gather(what, "compare calls")
            difference = (
                f"rank {rank} is to {calls[rank]}, but rank 0 to {calls[0]}"
                if calls[rank] != calls[0]
                else f"rank {rank} has another `target` than rank 0"
            )
            raise DistributedError(
                f"{difference}: every process must make the same calls with the same batches, so "
                "shuffle with the same seed, and go on after the same step."
            )
        return what, *(entry[1] for entry in found)

    def _boundary_shapes(self, example: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return tensors without memory, such as this stage receives and gives."""
        needs_grad = False
        if self.rank > 0:
            header = torch.empty(_HEADER, dtype=torch.int64, device=self._device)
            with self._running("learn the shapes"):
                distributed.recv(header, src=self.rank - 1)
            shape, dtype, needs_grad = _read_header(header)
            example = torch.zeros(shape, dtype=dtype)
        received = torch.empty_like(example, device="meta").requires_grad_(needs_grad)
        with self.module.trial():
            given = torch.empty_like(self.module(example.to(self._device)), device="meta")
        trained = any(p.requires_grad for p in self.module.parameters())
        given.requires_grad_(given.is_floating_point() and (needs_grad or trained))
        if self.rank < self._last:
            with self._running("learn the shapes"):
                distributed.send(_header(given).to(self._device), dst=self.rank + 1)
        return received, given

    # --- state --------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return the state of the whole model on rank 0; see `Pipeline.state_dict`."""
        self._agree("gather the state")
        own = self.module.state_dict()
        result: dict[str, torch.Tensor] = {}
        with self._group.waiting("gather the state"):
            for entry in self.plan.entries:
                if self.rank == 0:
                    result[entry.name] = own[entry.name] if entry.stage == 0 else self._fetch(entry)
                elif self.rank == entry.stage:
                    distributed.send(self._flat(own[entry.name]), dst=0)
        return result

    def _fetch(self, entry: Entry) -> torch.Tensor:
        value = torch.empty(entry.shape, dtype=entry.dtype, device=self._device)
        distributed.recv(value, src=entry.stage)
        value = torch.Tensor._make_subclass(entry.kind, value)
        if entry.own_name is not None:
            value.name = entry.own_name  # type: ignore[attr-defined]
        return value

    def load_state_dict(self, state_dict: Mapping[str, Any] | None) -> None:
        """Give each process its part of a state; see `Pipeline.load_state_dict`."""
        self._agree("load a state")
        what = self._misfits(state_dict) if self.rank == 0 else None
        what = self._group.gather(what, "load a state")[0]
        if what is not None:
            raise misfit(what)
        own = self.module.live_state()
        with self._group.waiting("load a state"):
            for entry in self.plan.entries:
                if self.rank == 0 and entry.stage == 0:
                    assert state_dict is not None
                    overwrite(own[entry.name], state_dict[entry.name])
                elif self.rank == 0:
                    assert state_dict is not None
                    value = torch.as_tensor(state_dict[entry.name])
                    distributed.send(self._flat(value), dst=entry.stage)
                elif self.rank == entry.stage:
                    value = torch.empty(entry.shape, dtype=entry.dtype, device=self._device)
                    distributed.recv(value, src=0)
                    overwrite(own[entry.name], value)

    def _flat(self, value: torch.Tensor) -> torch.Tensor:
        return plain(torch.Tensor.detach(value)).to(self._device).contiguous()


@dataclass(frozen=True)
class _Schedule:
    key: tuple[Any, ...]
    schedule: Any


class _OwnFailure:
    """The error of this process's own layers or loss, so that it is not taken for a lost peer."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None

    def noting(self, function: Any, *, wrapped: bool) -> Any:
        """Return `function` with its errors noted; those that torch wraps, without the wrapping."""

        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                self.failure = (error.__cause__ if wrapped else None) or error
                raise

        return call


class _WatchedStage(PipelineStage):
    """A stage of torch's that notes the errors of its layers."""

    own: _OwnFailure

    def forward_one_chunk(self, *args: Any, **kwargs: Any) -> Any:
        return self.own.noting(super().forward_one_chunk, wrapped=True)(*args, **kwargs)

    def backward_one_chunk(self, *args: Any, **kwargs: Any) -> Any:
        return self.own.noting(super().backward_one_chunk, wrapped=True)(*args, **kwargs)


def _header(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.dim() > _HEADER - 3 or tensor.dtype not in _DTYPES:
        raise ValueError(
            f"`model`: a tensor of {tensor.dim()} dimensions and {tensor.dtype} cannot be sent "
            f"between stages: at most {_HEADER - 3} dimensions and common element types can."
        )
    content = [tensor.dim(), _DTYPES.index(tensor.dtype), int(tensor.requires_grad), *tensor.shape]
    return torch.tensor(content + [0] * (_HEADER - len(content)))


def _read_header(header: torch.Tensor) -> tuple[list[int], torch.dtype, bool]:
    num_sizes, dtype, needs_grad, *sizes = header.tolist()
    return sizes[:num_sizes], _DTYPES[dtype], bool(needs_grad)


def _sample(target: torch.Tensor | None) -> bytes:
    """Return so many values of a target that two batches hardly have the same."""
    if target is None:
        return b""
    values = plain(target).detach().flatten()
    return (
        values[:: 1 + len(values) // _SAMPLE].cpu().contiguous().view(torch.uint8).numpy().tobytes()
    )


def _compare(group: Group, plan: Plan) -> None:
    """See to it that all ranks split the same model in the same way."""
    facts = [f"num_microbatches {plan.num_microbatches}"]
    facts += [f"{entry} in stage {entry.stage}" for entry in plan.entries]
    digest = hashlib.blake2b("\n".join(facts).encode(), digest_size=16).hexdigest()
    if len(set(group.gather(digest, "split the model"))) == 1:
        return
    all_ = group.gather(facts, "split the model")
    rank = next(k for k, other in enumerate(all_) if other != all_[0])
    first, other = all_[0], all_[rank]
    place = next((k for k, (a, b) in enumerate(zip(first, other, strict=False)) if a != b), None)
    here, there = (
        (first[place], other[place])
        if place is not None
        else (f"{len(first) - 1} tensors", f"{len(other) - 1} tensors")
    )
    raise DistributedError(
        f"rank {rank} splits another model than rank 0: it has {there}, where rank 0 has {here}. "
        "Every process must split the same model in the same way."
    )
