"""torch's optimizers as rules of a parameter server.

What reaches a server is what pickling keeps of an optimizer: its class, groups and defaults, not
its hooks.
May import: torch, errors.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import torch

from refluid.errors import DistributedError

__all__ = ["TorchRule"]


class TorchRule:
    """An optimizer of torch, for `Rule`.

    Args:
        optimizer: its groups hold some or all of `parameters`, and no others.
        parameters: all of the model's, in the model's order.
        kind: the class of the optimizer on the servers, by default its own.

    Raises:
        DistributedError: the optimizer has a parameter that is none of these.
    """

    averaged = True
    whole = False

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        parameters: Sequence[torch.nn.Parameter],
        kind: type[torch.optim.Optimizer] | None = None,
    ) -> None:
        known = {id(parameter) for parameter in parameters}
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if id(parameter) not in known:
                    raise DistributedError(
                        f"`optimizer` has a parameter of shape {list(parameter.shape)} that is not "
                        "one of the model's: make it of model.parameters()."
                    )
        self._optimizer = optimizer
        self._parameters = list(parameters)
        self._kind = kind or type(optimizer)
        # which of the program's groups each group here is
        self._numbers = list(range(len(optimizer.param_groups)))

    def part(self, indices: Sequence[int]) -> TorchRule:
        """Return a rule for some of the parameters; see `Rule`."""
        copies: dict[int, torch.nn.Parameter] = {}
        for k in indices:
            value = self._parameters[k]
            data = value.detach().to("cpu", copy=True)
            copies[id(value)] = torch.nn.Parameter(data, requires_grad=value.requires_grad)
        groups: list[dict[str, Any]] = []
        numbers: list[int] = []
        for number, group in enumerate(self._optimizer.param_groups):
            held = [copies[id(value)] for value in group["params"] if id(value) in copies]
            if held:
                groups.append({**group, "params": held})
                numbers.append(number)
        optimizer = self._kind.__new__(self._kind)
        # as when it is unpickled
        optimizer.__setstate__(
            {
                "defaults": dict(self._optimizer.defaults),
                "state": defaultdict(dict),
                "param_groups": groups,
            }
        )
        rule = TorchRule(optimizer, list(copies.values()))
        rule._numbers = numbers
        return rule

    def values(self) -> Sequence[torch.Tensor]:
        """Return the parameters."""
        return self._parameters

    def settings(self) -> list[dict[str, Any]]:
        """Return the options of each group, such as `lr`."""
        return [
            {key: _plain(value) for key, value in group.items() if key != "params"}
            for group in self._optimizer.param_groups
        ]

    def apply(self, gradients: Sequence[torch.Tensor | None], settings: Any) -> None:
        """Make one step of the optimizer; see `Rule`."""
        for number, group in zip(self._numbers, self._optimizer.param_groups, strict=True):
            group.update(settings[number])
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient
        if self._optimizer.param_groups:
            with torch.no_grad():
                _step_of(self._kind)(self._optimizer)
        for parameter in self._parameters:
            parameter.grad = None

    def state(self) -> list[dict[str, Any]]:
        """Return the optimizer's state of each parameter."""
        held = self._optimizer.state
        return [dict(held[value]) if value in held else {} for value in self._parameters]

    def load(self, state: Sequence[dict[str, Any]]) -> None:
        """Replace the optimizer's state."""
        for parameter, entries in zip(self._parameters, state, strict=True):
            self._optimizer.state.pop(parameter, None)
            if entries:
                self._optimizer.state[parameter] = {
                    key: _beside(parameter, value) for key, value in entries.items()
                }


def _step_of(kind: type[torch.optim.Optimizer]) -> Callable[[Any], Any]:
    """Return what makes a step, without what torch puts around its own optimizers' for a compiler.

    That would import the compiler, which takes a server as long as torch itself.
    """
    own = kind.__module__.startswith("torch.optim.")
    return inspect.unwrap(kind.step) if own else kind.step


def _plain(value: Any) -> Any:
    """Return a value that `==` compares: a rate may be a tensor of one element."""
    return value.item() if isinstance(value, torch.Tensor) and value.numel() == 1 else value


def _beside(parameter: torch.Tensor, value: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
        return value.to(parameter.device, copy=True)
    return value.clone() if isinstance(value, torch.Tensor) else value
