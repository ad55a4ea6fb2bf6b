"""Which units an activation leaves at 0, and whose they are.

Activations are caught where torch is called, so that it does not matter how a program writes them:
as a module, as a function inside `forward`, or as the `act` of a fluid layer. Whose output it was
applied to is known from the memory: a layer's output that is still alive, was not written to since,
and is the activation's input.
May import: torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

__all__ = ["Activations", "Applied", "DeadUnits", "Units", "unit_axis"]

# those that can give exactly 0 for a whole range of inputs
_FUNCTIONS = frozenset(
    "relu relu_ relu6 hardtanh hardtanh_ threshold threshold_ hardswish hardsigmoid hardshrink "
    "softshrink gelu silu mish".split()
)
_CLAMPS = frozenset("clamp clamp_ clamp_min clamp_min_ clip clip_".split())
# whose units are in the last dimension
_LAST = frozenset(
    "Linear Bilinear BilinearTensorProduct Embedding RNNBase MultiheadAttention GRUUnit".split()
)
_LAST_IF_IT_FITS = frozenset(["LayerNorm", "RMSNorm"])
_SHOWN = 8


@dataclass(frozen=True)
class DeadUnits:
    """Units whose output was 0 for every input that was seen.

    Args:
        layer: the layer's path, or the activation's own where it is not certain whose output it
            was applied to.
        activation: its function, such as `relu`.
        units: which, counted from 0.
        num_units: how many the layer has.
        kind: `channels` or `features`.
    """

    layer: str
    activation: str
    units: tuple[int, ...]
    num_units: int
    kind: str

    @property
    def sentence(self) -> str:
        """The finding in words, such as `conv2: 2 of 20 channels always 0 (3, 5)`."""
        shown = ", ".join(map(str, self.units[:_SHOWN]))
        more = ", ..." if len(self.units) > _SHOWN else ""
        return (
            f"{self.layer}: {len(self.units)} of {self.num_units} {self.kind} always 0 "
            f"({shown}{more})"
        )

    def __str__(self) -> str:
        return self.sentence


@dataclass
class Units:
    """Which units of one layer were ever other than 0.

    Args:
        layer: see `DeadUnits`.
        activation: see `DeadUnits`.
        kind: see `DeadUnits`.
        is_alive: bool [units], whether a value was other than 0.
        num_zeros: of all units together.
        num_values: of all units together.
    """

    layer: str
    activation: str
    kind: str
    is_alive: torch.Tensor
    num_zeros: int
    num_values: int

    @property
    def zeros(self) -> float:
        """The share of values that were 0."""
        return self.num_zeros / self.num_values

    def dead(self) -> DeadUnits:
        """Return the units that were always 0; there may be none."""
        units = torch.nonzero(~self.is_alive).flatten().tolist()
        return DeadUnits(self.layer, self.activation, tuple(units), len(self.is_alive), self.kind)


@dataclass
class Applied:
    """An activation that was just applied.

    Args:
        function: its name.
        result: the tensor that it gave, while that lives.
        is_alive: bool [units], whether a value was other than 0.
        num_zeros: of all units together.
        num_values: of all units together.
        kind: see `DeadUnits`.
    """

    function: str
    result: Callable[[], torch.Tensor | None] = field(repr=False)
    is_alive: torch.Tensor
    num_zeros: int
    num_values: int
    kind: str


class Activations(TorchFunctionMode):
    """While entered, tells `note` of every activation: function, input and result.

    Args:
        before: called with the input, which the activation may overwrite; its value is handed on.
        note: called with the function's name, what `before` returned, and the result.
    """

    def __init__(
        self,
        before: Callable[[torch.Tensor], Any],
        note: Callable[[str, Any, torch.Tensor], None],
    ) -> None:
        super().__init__()
        self._before = before
        self._note = note

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call `func`, and note it if it is an activation."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name not in _FUNCTIONS and not (name in _CLAMPS and _rectifies(args, kwargs)):
            return func(*args, **kwargs)
        given = args[0] if args else kwargs.get("input")
        if not isinstance(given, torch.Tensor):
            return func(*args, **kwargs)
        found = self._before(given)
        result = func(*args, **kwargs)
        if isinstance(result, torch.Tensor):
            self._note("relu" if name in _CLAMPS else name.rstrip("_"), found, result)
        return result


def unit_axis(module: torch.nn.Module | None, shape: Sequence[int]) -> int | None:
    """Return the dimension of the units in an output of `module`, or None if it has none.

    Args:
        module: whose output it is, None if that is not known.
        shape: of the output, with the batch or without.
    """
    last = len(shape) - 1
    weight = None if module is None else module._parameters.get("weight")
    kinds = {cls.__name__ for cls in type(module).__mro__}
    if kinds & _LAST:
        return last if last >= 0 else None
    if weight is not None:
        if kinds & _LAST_IF_IT_FITS and last >= 0 and shape[last] == weight.numel():
            return last
        if weight.dim() > 2 and last + 1 == weight.dim() - 1:
            return 0  # a convolution of one sample
    return 1 if last >= 1 else None


def _rectifies(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Tell whether a clamp is max(x, 0)."""
    least = args[1] if len(args) > 1 else kwargs.get("min")
    most = args[2] if len(args) > 2 else kwargs.get("max")
    return most is None and isinstance(least, (int, float)) and least == 0
