"""Fluid's optimizers as rules of a parameter server: `refluid.distributed.server.Rule`.

The learning rate stays with the program, whose decay advances as without servers; clips, weight
decay and updates happen on the servers, and what an optimizer remembers lives there.
May import: torch, core_avx, framework, clip; refluid.distributed.server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from refluid.distributed.server.registry import trainer_of
from refluid.paddle.fluid.clip import GradientClipByNorm, GradientClipByValue
from refluid.paddle.fluid.core_avx.variable import wrap
from refluid.paddle.fluid.framework import ParamBase, default_main_program

if TYPE_CHECKING:
    from refluid.paddle.fluid.optimizer.base import Gradients, Optimizer

__all__ = ["Served", "served"]


class FluidRule:
    """An optimizer of fluid, for `Rule`.

    Args:
        optimizer: updates some or all of `parameters`.
        parameters: all of the model's, in the model's order.
    """

    averaged = False

    def __init__(self, optimizer: Optimizer, parameters: Sequence[Any]) -> None:
        self._optimizer = optimizer
        self._parameters = list(parameters)

    @property
    def whole(self) -> bool:
        """Whether gradients are clipped by something that looks at all of them."""
        clip = self._optimizer._grad_clip
        return clip is not None and not isinstance(clip, GradientClipByNorm | GradientClipByValue)

    def part(self, indices: Sequence[int]) -> FluidRule:
        """Return a rule for some of the parameters; see `Rule`."""
        chosen = [self._parameters[k] for k in indices]
        return FluidRule(self._optimizer._emptied(), chosen)

    def __reduce__(self) -> Any:
        parameters = [
            (
                torch.Tensor.numpy(p.detach().as_subclass(torch.Tensor).cpu().contiguous()),
                str(p.data.dtype).removeprefix("torch."),
                {
                    "name": p.name,
                    "trainable": p.trainable,
                    "optimize_attr": p.optimize_attr,
                    "regularizer": p.regularizer,
                },
            )
            for p in self._parameters
        ]
        return _rebuilt, (self._optimizer, parameters)

    def values(self) -> Sequence[torch.Tensor]:
        """Return the parameters' values."""
        return [param.data for param in self._parameters]

    def settings(self) -> float:
        """Advance the decay of the learning rate by a step, and return the rate."""
        self._optimizer._create_global_learning_rate()
        rate: Any = self._optimizer._global_learning_rate()
        return float(rate.item())

    def apply(self, gradients: Sequence[torch.Tensor | None], settings: Any) -> None:
        """Clip, add the weight decay, update; see `Rule`."""
        optimizer = self._optimizer
        rate = torch.tensor([settings], dtype=torch.float64)
        optimizer._learning_rate_map[default_main_program()] = wrap(rate)
        pairs = zip(self._parameters, gradients, strict=True)
        optimizer.apply_gradients([(p, grad) for p, grad in pairs if grad is not None])

    def state(self) -> list[dict[str, Any]]:
        """Return the accumulators of each parameter by name."""
        kinds = self._optimizer._store.variables
        return [
            {kind: of[p.name].detach() for kind, of in kinds.items() if p.name in of}
            for p in self._parameters
        ]

    def load(self, state: Sequence[dict[str, Any]]) -> None:
        """Make and overwrite accumulators."""
        store = self._optimizer._store
        for param, entries in zip(self._parameters, state, strict=True):
            if entries:
                store.create([param])
            for kind, value in entries.items():
                store.variables[kind][param.name].set_value(value)


def _rebuilt(optimizer: Optimizer, parameters: Sequence[tuple[Any, str, dict[str, Any]]]) -> Any:
    made = []
    for array, dtype, attributes in parameters:
        param = ParamBase(array.shape, dtype, **attributes)
        param.data.copy_(torch.from_numpy(array.copy()))
        made.append(param)
    optimizer._parameter_list = made
    return FluidRule(optimizer, made)


class Served:
    """The connection of one optimizer to the servers that hold its parameters."""

    def __init__(self, optimizer: Optimizer, trainer: Any) -> None:
        self.trainer = trainer
        self._rule = FluidRule(optimizer, trainer.parameters)

    def update(self, params_grads: Gradients) -> None:
        """Have the servers make a step."""
        grads = {id(param): grad for param, grad in params_grads}
        self.trainer.update(self._rule, [grads.get(id(p)) for p in self.trainer.parameters])

    def fetch(self) -> None:
        """Take what the servers remember into the optimizer."""
        self.trainer.fetch_state(self._rule)

    def put(self) -> None:
        """Have the servers remember what the optimizer does, from the next step on."""
        self.trainer.put_state(self._rule)


def served(optimizer: Optimizer) -> Served | None:
    """Return an optimizer's connection to servers, None if its parameters are here."""
    trainer = trainer_of(optimizer._parameter_list)
    if trainer is None:
        return None
    found = optimizer._served
    if found is None or found.trainer is not trainer:
        found = optimizer._served = Served(optimizer, trainer)
    return found
