"""A model as layers that run one after another, built so that only some of them stay.

A layer takes one tensor and gives one. A model that exists already is taken apart; a function that
yields its layers has them made one by one, and what is not kept is dropped before the next one is
made, so that the whole model is never in memory, and random numbers are drawn as for the whole one.
Fluid's layers are known by their `set_dict`, not by import.
May import: torch, numpy.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import Module

__all__ = ["Entry", "Layers", "Model", "build", "is_fluid", "overwrite", "sizes_bytes", "state_of"]

Model = Module | Callable[[], Iterable[Any]]

_dtype = torch.Tensor.dtype.__get__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Entry:
    """One tensor of the whole model's state.

    Args:
        name: as in the unsplit model's `state_dict`.
        shape: its sizes.
        dtype: its element type, of torch.
        kind: its class: fluid's parameters are to come back as such.
        own_name: a fluid parameter's own name, such as `conv2d_0.w_0`; else None.
        stage: which stage has it.
    """

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    kind: type[torch.Tensor]
    own_name: str | None
    stage: int

    def __str__(self) -> str:
        return f"{self.name} {list(self.shape)} {str(self.dtype).removeprefix('torch.')}"


@dataclass(frozen=True)
class Layers:
    """What `build` made.

    Args:
        kept: the layers that were kept, by stage and then by name.
        entries: the state of all layers, kept or not, in the unsplit model's order.
    """

    kept: dict[int, dict[str, Module]]
    entries: list[Entry]


def is_fluid(layer: Module) -> bool:
    """Return whether a layer is one of fluid's."""
    return hasattr(layer, "set_dict")


def state_of(layer: Module, prefix: str) -> dict[str, torch.Tensor]:
    """Return the live tensors of a layer's state by their names in the model.

    Raises:
        ValueError: something in it is no tensor.
    """
    if is_fluid(layer):
        state: dict[str, Any] = layer.state_dict(None, True, prefix)  # type: ignore[call-overload]
    else:
        state = layer.state_dict(prefix=prefix, keep_vars=True)
    others = [name for name, value in state.items() if not isinstance(value, torch.Tensor)]
    if others:
        raise ValueError(
            f"`model`: the state has {', '.join(f'`{name}`' for name in others)}, which is no "
            "tensor: only layers whose state are tensors can be split."
        )
    return dict(state)


def overwrite(tensor: torch.Tensor, value: Any) -> None:
    """Overwrite a tensor of a live state with a value of the same shape and element type."""
    source = value if isinstance(value, torch.Tensor) else torch.from_numpy(np.array(value))
    tensor.data.copy_(torch.Tensor.detach(source))


def sizes_bytes(model: Model) -> list[int]:
    """Return how many bytes the parameters of each layer have.

    A function is called on torch's meta device, where tensors have no memory.

    Raises:
        ValueError: a function's layers cannot be made there, as those of fluid.
        TypeError: `model` is of another kind.
    """
    if isinstance(model, Module):
        return [_num_bytes(layer) for _, layer in _named(model)]
    try:
        with torch.device("meta"):
            return [_num_bytes(_on_meta(layer)) for _, layer in _named(model)]
    except RuntimeError as error:
        raise ValueError(
            "`boundaries` must be given: the sizes of the layers cannot be known before they are "
            f"made, as those of fluid, on torch's meta device ({str(error).rstrip('.')})."
        ) from None


def _on_meta(layer: Module) -> Module:
    if any(not p.is_meta for p in layer.parameters()):
        raise RuntimeError(f"{type(layer).__name__} makes its parameters elsewhere")
    return layer


def build(model: Model, boundaries: Sequence[int], kept: Iterable[int]) -> Layers:
    """Go through the layers of a model, and keep those of some stages.

    Args:
        model: `nn.Sequential`, fluid's `Sequential`, or a function that yields layers.
        boundaries: number of the first layer of each stage but the first.
        kept: which stages are kept.

    Returns:
        The layers, and what is known of all.

    Raises:
        ValueError: there are fewer layers than `boundaries` says, a kept stage has no parameters,
            or stages share one.
        TypeError: `model` is of another kind.
    """
    found: dict[int, dict[str, Module]] = {stage: {} for stage in kept}
    entries: list[Entry] = []
    owners = _Owners()
    trained: set[int] = set()
    count = 0
    for name, layer in _named(model):
        stage = sum(count >= begin for begin in boundaries)
        state = state_of(layer, f"{name}.")
        for key, tensor in state.items():
            owners.claim(key, tensor, stage)
            entries.append(_entry(key, tensor, stage))
        if list(layer.parameters()):
            trained.add(stage)
        if stage in found:
            found[stage][name] = layer
        count += 1
        # or it would live until the next one is made
        del layer, state
    if boundaries and boundaries[-1] >= count:
        raise ValueError(
            f"`boundaries` must be numbers of layers below {count}, as the model has so many, but "
            f"is {list(boundaries)}."
        )
    _check_parameters(trained, len(boundaries) + 1)
    return Layers(found, entries)


def _check_parameters(stages: set[int], count: int) -> None:
    for stage in range(count):
        if stage not in stages:
            raise ValueError(
                f"`boundaries`: stage {stage} has no parameters, so there is nothing to train in "
                "it: choose other ones."
            )


def _entry(name: str, tensor: torch.Tensor, stage: int) -> Entry:
    own = getattr(tensor, "name", None) if is_fluid_parameter(tensor) else None
    kind = type(tensor) if own is not None else torch.Tensor
    return Entry(name, tuple(tensor.shape), _dtype(tensor), kind, own, stage)


def is_fluid_parameter(tensor: torch.Tensor) -> bool:
    """Return whether a tensor is a variable of fluid's."""
    return hasattr(tensor, "clear_gradient")


class _Owners:
    """Which stage has a parameter; a dropped one's place in memory may be another's later."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[weakref.ref[torch.Tensor], str, int]] = {}

    def claim(self, name: str, tensor: torch.Tensor, stage: int) -> None:
        before = self._found.get(id(tensor))
        if before is not None and before[0]() is tensor and before[2] != stage:
            raise ValueError(
                f"`model`: `{before[1]}` of stage {before[2]} and `{name}` of stage {stage} are "
                "one parameter, which two stages would train apart: choose `boundaries` that "
                "leave both in one stage."
            )
        self._found.setdefault(id(tensor), (weakref.ref(tensor), name, stage))
        if before is not None and before[0]() is not tensor:
            self._found[id(tensor)] = (weakref.ref(tensor), name, stage)


def _num_bytes(layer: Module) -> int:
    return sum(p.numel() * p.element_size() for p in layer.parameters())


def _named(model: Model) -> Iterator[tuple[str, Module]]:
    if isinstance(model, Module):
        yield from _parts(model)
        return
    if not callable(model):
        raise TypeError(
            "`model` must be nn.Sequential, fluid's Sequential, or a function that yields layers, "
            f"but received {type(model).__name__}."
        )
    taken: set[str] = set()
    # enumerate() would keep a layer alive until the next one is made
    for item in model():
        number = len(taken)
        name, layer = item if isinstance(item, tuple) else (str(number), item)
        if not isinstance(layer, Module) or not isinstance(name, str) or name in taken:
            raise TypeError(
                "`model` must yield layers, or tuples of a name, each another one, and a layer; "
                f"number {number} is {type(layer).__name__} of the name {name!r}."
            )
        taken.add(name)
        del item
        yield name, layer
        del layer


def _parts(model: Module) -> Iterator[tuple[str, Module]]:
    base = next((cls for cls in type(model).__mro__ if cls.__name__ == "Sequential"), None)
    if base is None or type(model).forward is not base.forward:
        raise TypeError(
            "`model` must be nn.Sequential, fluid's Sequential, or a function that yields layers "
            f"which run one after another, but {type(model).__name__} has a forward() of its own."
        )
    for name, layer in model._modules.items():
        assert layer is not None
        yield name, layer
