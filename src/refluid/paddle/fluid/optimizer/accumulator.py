"""What an optimizer remembers of each parameter: moments, velocities, powers of the betas.

Accumulators are made at the first update of their parameter and are called
`linear_0.w_0_moment1_0`. State that was given earlier waits for them, as in Paddle.
May import: torch, core_avx, framework, unique_name, rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.core_avx.variable import VarBase, wrap
from refluid.paddle.fluid.framework import ParamBase
from refluid.paddle.fluid.optimizer.rounding import float32

__all__ = ["AccumulatorStore", "Power"]


@dataclass(frozen=True)
class _Kind:
    fill: float
    is_power: bool


class AccumulatorStore:
    """The accumulators of one optimizer.

    Args:
        prefix: the optimizer's name, put before each accumulator's, or None.

    Attributes:
        variables: accumulator name -> parameter name -> variable, in order of creation.
        names: the names of all variables made so far.
        pending: the state dictionary from which new accumulators take their values; {} for none.
    """

    def __init__(self, prefix: str | None) -> None:
        self.variables: dict[str, dict[str, VarBase]] = {}
        self.names: list[str] = []
        self.pending: Mapping[str, Any] = {}
        self._prefix = "" if prefix is None else f"{prefix}_"
        self._kinds: dict[str, _Kind] = {}
        self._last: dict[str, VarBase] | None = None

    def declare(self, name: str, fill: float = 0.0, *, is_power: bool = False) -> str:
        """Have every parameter get an accumulator.

        Args:
            name: its name, as Paddle has it.
            fill: the value it starts with.
            is_power: it is one number, of shape [1] and on the CPU, instead of the parameter's
                shape and place.

        Returns:
            The name under which it stands in `variables`.
        """
        name = self._prefix + name
        self._kinds[name] = _Kind(float32(fill), is_power)
        self._last = self.variables[name] = {}
        return name

    def create(self, params: Iterable[ParamBase]) -> None:
        """Make the accumulators of the parameters that have none yet."""
        if self._last is None:
            return
        for param in params:
            if param.name not in self._last:
                for name, variables in self.variables.items():
                    if param.name not in variables:
                        variables[param.name] = self._make(name, param)

    def get(self, name: str, params: Iterable[ParamBase]) -> list[torch.Tensor]:
        """Return the accumulators called `name` of some parameters."""
        variables = self.variables[name]
        return [variables[param.name] for param in params]

    def load(self, state: Mapping[str, Any]) -> None:
        """Overwrite the accumulators that exist, and keep `state` for those that do not.

        Raises:
            AssertionError: one that exists is missing, or has another shape or dtype.
            RuntimeError: a value is neither a Variable nor an array.
        """
        self.pending = state
        for variables in self.variables.values():
            for variable in variables.values():
                variable.set_value(_find(state, variable.name))

    def restore(self, state: Mapping[str, Any], params: Iterable[ParamBase]) -> list[str]:
        """Make and fill all accumulators that `state` has; others begin anew when they are needed.

        Returns:
            The keys of `state` that belong to none.

        Raises:
            RuntimeError: the state has some accumulators of a parameter and lacks others.
            AssertionError: an accumulator has another shape or dtype.
        """
        for param in params:
            keys = {name: _key(state, f"{param.name}_{name}_") for name in self.variables}
            missing = [name for name, key in keys.items() if key is None]
            if missing and len(missing) < len(keys):
                raise RuntimeError(f"the state has no {', '.join(missing)} of {param.name}.")
            for name, key in keys.items():
                if key is not None and param.name not in self.variables[name]:
                    self.variables[name][param.name] = self._make(name, param, key)
        self.load(state)
        self.pending = {}
        return [key for key in state if key not in self.names]

    def _make(self, name: str, param: ParamBase, called: str | None = None) -> VarBase:
        kind, data = self._kinds[name], param.data
        if kind.is_power:
            dtype = torch.float64 if data.dtype is torch.float64 else torch.float32
            variable = wrap(torch.full((1,), kind.fill, dtype=dtype))
        else:
            variable = wrap(torch.full_like(data, kind.fill))
        variable.name = called or unique_name.generate(f"{param.name}_{name}")
        variable.persistable = True
        if self.pending:
            variable.set_value(_find(self.pending, variable.name))
        self.names.append(variable.name)
        return variable


class Power:
    """The power of a beta that each parameter has, one number of shape [1].

    The numbers stay in variables, where programs save and set them. They are read and written
    through a view of their memory, which costs a tenth of a torch call.

    Args:
        store: where they are declared.
        name: the accumulator's name.
        beta: what each update multiplies by.
    """

    def __init__(self, store: AccumulatorStore, name: str, beta: float) -> None:
        self._beta = float32(beta)
        self._variables = store.variables[store.declare(name, beta, is_power=True)]
        self._views: dict[str, memoryview[float]] = {}

    def __getitem__(self, param_name: str) -> float:
        return self._view(param_name)[0]

    def advance(self, params: Iterable[ParamBase]) -> None:
        """Multiply those of some parameters by beta."""
        for param in params:
            # exact before it is rounded to 32 bits, so the same as a 32-bit product
            self._view(param.name)[0] *= self._beta

    def _view(self, param_name: str) -> memoryview[float]:
        view = self._views.get(param_name)
        if view is None:
            array: Any = torch.Tensor.numpy(self._variables[param_name])
            view = self._views[param_name] = memoryview(array)
        return view


def _key(state: Mapping[str, Any], prefix: str) -> str | None:
    return next((k for k in state if k.startswith(prefix) and k[len(prefix) :].isdigit()), None)


def _find(state: Mapping[str, Any], name: str) -> Any:
    assert name in state, (
        f"the state dictionary has no {name!r}, which this optimizer needs; it has "
        f"{', '.join(map(repr, list(state)[:5])) or 'nothing'}. Give the dictionary that the same "
        "optimizer saved for the same parameters."
    )
    value = state[name]
    if not isinstance(value, (torch.Tensor, np.ndarray)):
        raise RuntimeError(
            f"the state dictionary's {name!r} must be a Variable or a numpy.ndarray, "
            f"but is {type(value).__name__}."
        )
    return value
