"""Parts of a network on devices of their own, in one program.

A placed layer looks from outside as before: what goes in is moved to its device, and what comes out
is moved back to where the inputs came from. So a program needs no other change, and gradients take
the same ways back, since the moves are operations that torch records.
Fluid's places are known by their `device`, not by import.
May import: torch, refluid.errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch.nn import Module

from refluid.errors import DeviceError

__all__ = ["as_device", "place"]

_Layer = TypeVar("_Layer", bound=Module)


def place(layer: _Layer, device: Any) -> _Layer:
    """Put a layer on a device of its own, such as one head of a network with several.

    Parameters, buffers and gradients stay the same objects, so an optimizer may exist before. A
    layer that is placed again moves once more. Makes a layer variables in its `forward`, then these
    are where the program makes variables, as ever.

    Args:
        layer: one of fluid or of torch.
        device: a place of fluid, such as `fluid.CUDAPlace(1)`, or what torch.device takes.

    Returns:
        The layer itself.

    Raises:
        TypeError: `layer` or `device` is none.
        DeviceError: this machine has no such device.

    Example:
        head = place(Head(), fluid.CUDAPlace(1))
    """
    if not isinstance(layer, Module):
        raise TypeError(f"`layer` must be a layer, but received {type(layer).__name__}.")
    target = as_device(device, "device")
    for remove in _hooks.pop(layer, ()):
        remove()
    layer.to(target)
    moves = _Moves(target)
    before = layer.register_forward_pre_hook(moves.bring, with_kwargs=True)
    after = layer.register_forward_hook(moves.give_back)
    _hooks[layer] = (before.remove, after.remove)
    return layer


def as_device(device: Any, name: str) -> torch.device:
    """Return the device that a program means.

    Args:
        device: a place of fluid, or what torch.device takes.
        name: of the argument, for an error.

    Raises:
        TypeError: it is neither.
        DeviceError: this machine has no such device.
    """
    found = getattr(device, "device", device)
    if not isinstance(found, torch.device | str | int) or isinstance(found, bool):
        raise TypeError(
            f"`{name}` must be a place of fluid, or a device of torch such as 'cuda:1', but "
            f"received {type(device).__name__}."
        )
    try:
        target = torch.device(found)
    except RuntimeError as error:
        raise DeviceError(f"`{name}`: {str(error).splitlines()[0]}") from None
    count = torch.cuda.device_count() if target.type == "cuda" else 0
    if target.type == "cuda" and not (target.index or 0) < count:
        there = f"{count} GPU(s)" if count else "no GPU that torch can use"
        raise DeviceError(f"`{name}` is {target}, but this machine has {there}.")
    return target


_hooks: WeakKeyDictionary[Module, tuple[Callable[[], None], ...]] = WeakKeyDictionary()


class _Moves:
    """Brings the inputs of one layer to its device, and its outputs back.

    Args:
        device: of the layer.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        # where the inputs of the calls that have not returned came from
        self._origins: list[torch.device] = []

    def bring(
        self, layer: Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Move what goes in."""
        first = next(_tensors((args, kwargs)), None)
        self._origins.append(self._device if first is None else first.device)
        return moved(args, self._device), moved(kwargs, self._device)

    def give_back(self, layer: Module, args: Any, output: Any) -> Any:
        """Move what comes out."""
        return moved(output, self._origins.pop())


def moved(value: Any, device: torch.device) -> Any:
    """Return a value with every tensor in it on `device`, of the class that it had."""
    if isinstance(value, torch.Tensor):
        if value.device == device:
            return value
        # fluid's stop_gradient ends the graph at a variable, which torch does not know of
        source = torch.Tensor.detach(value) if getattr(value, "_cut", False) else value
        result = source.to(device)
        # torch gives its own class, and fluid's operators and programs want theirs
        is_own = type(value) in (torch.Tensor, torch.nn.Parameter)
        return result if is_own else torch.Tensor.as_subclass(result, _variable_class(value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(moved(item, device) for item in value))
    if isinstance(value, list | tuple):
        return type(value)(moved(item, device) for item in value)
    if isinstance(value, dict):
        return {key: moved(item, device) for key, item in value.items()}
    return value


def _variable_class(value: torch.Tensor) -> type[torch.Tensor]:
    """Return the class of a result of the value's kind: a parameter's copy is no parameter."""
    classes = type(value).__mro__
    return classes[1] if isinstance(value, torch.nn.Parameter) else classes[0]


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
