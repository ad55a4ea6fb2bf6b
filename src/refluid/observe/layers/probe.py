"""Hooks on every layer of a model, which note what goes through; nothing is changed.

What is noted is computed at once, on the tensor's device, outside of the graph; no output is kept
alive, since how a backward pass may compute can depend on whether anybody still holds a result.
Which layer is running is known by a stack of calls, activations by `Activations`, which is entered
only while the model runs. Layers inside something compiled are left alone: with hooks, other code
would be compiled, and its results might differ.
May import: torch, observe.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from refluid.observe.layers.activation import (
    Activations,
    Applied,
    Units,
    unit_axis,
)
from refluid.observe.layers.content import Content, count_nonzero, is_measurable, measure
from refluid.observe.layers.layer import Activated, LayerFacts, Shape
from refluid.observe.layers.setting import settings_of

__all__ = ["ROOT", "Probe", "check_model"]

ROOT = "(model)"  # the model itself has no path
_DEPTH = 5  # of outputs within outputs

_size = torch.Tensor.size  # fluid's variables have a shape of another type


@dataclass
class _Call:
    """A layer that is running."""

    module: torch.nn.Module
    name: str
    inputs: tuple[Shape, ...]
    error: BaseException | None  # that the program was handling before
    has_parts: bool = False
    applied: list[Applied] = field(default_factory=list)


@dataclass
class _Layer:
    """What was noted of one layer so far."""

    module: torch.nn.Module
    name: str
    is_shown: bool = False
    num_calls: int = 0
    inputs: tuple[Shape, ...] = ()
    outputs: tuple[Shape, ...] = ()
    content: Content | None = None
    axis: int | None = None
    sample: torch.Tensor | None = None


@dataclass(frozen=True)
class _Output:
    """An output that may still be alive."""

    tensor: Callable[[], torch.Tensor | None]
    version: int
    layer: str
    module: torch.nn.Module


def check_model(model: Any) -> None:
    """See to it that `model` has layers.

    Raises:
        TypeError: it is no torch.nn.Module, which fluid's Layers are too.
    """
    if not isinstance(model, torch.nn.Module):
        raise TypeError(
            f"`model` must be a torch.nn.Module or a fluid Layer, but received "
            f"{type(model).__name__}: give the model itself, not its outputs or parameters."
        )


class _Hook:
    """A method as a hook; a copy of the model, on disk or in memory, gets one that does nothing."""

    def __init__(self, method: Callable[..., None]) -> None:
        self._method = method

    def __call__(self, *args: Any) -> None:
        self._method(*args)

    def __reduce__(self) -> Any:
        return _Hook, (_do_nothing,)


def _do_nothing(*args: Any) -> None:
    pass


class Probe:
    """What went through the layers of `model` between `attach` and `detach`.

    Args:
        model: whose layers.
        with_samples: keep a copy of each layer's last output for the first sample of the batch.
        training_only: leave out what runs without recording for a backward pass.
    """

    def __init__(
        self, model: torch.nn.Module, *, with_samples: bool, training_only: bool = False
    ) -> None:
        self._model = model
        self._with_samples = with_samples
        self._training_only = training_only
        self._layers: dict[str, _Layer] = {}
        self._units: dict[str, Units] = {}
        self._handles: list[torch.utils.hooks.RemovableHandle] = []
        self._calls: list[_Call] = []
        self._outputs: dict[int, _Output] = {}
        self._mode: Activations | None = None
        self._is_compiled = False
        self._thread = 0
        self._names: dict[int, str] = {}

    # --- watching -----------------------------------------------------------------------------

    @property
    def is_attached(self) -> bool:
        """Whether the hooks are in place."""
        return bool(self._handles)

    def attach(self) -> None:
        """Put the hooks in place."""
        self._thread = threading.get_ident()
        found = list(_reachable(self._model, "", set()))
        self._is_compiled = any(map(_is_compiled, self._model.modules()))
        self._names = {id(module): name or ROOT for name, module in found}
        enter, leave = _Hook(self._enter), _Hook(self._leave)
        for _, module in found:
            self._handles += [
                module.register_forward_pre_hook(enter, with_kwargs=True),
                # also after an error, so that the stack of calls stays right
                module.register_forward_hook(leave, always_call=True),
            ]

    def detach(self) -> None:
        """Take every hook away; it may be called again."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._names.clear()
        self._calls.clear()
        self._outputs.clear()
        self._leave_mode()  # where Ctrl-C has ended a call, nobody else does

    def _enter(self, module: torch.nn.Module, args: Any, kwargs: Any) -> None:
        name = self._names.get(id(module))
        if name is None or not self._is_wanted():
            return
        if self._calls:
            self._calls[-1].has_parts = True
        else:
            self._outputs.clear()
            self._enter_mode()
        shapes = tuple(tuple(_size(tensor)) for tensor in _tensors((args, kwargs)))
        self._calls.append(_Call(module, name, shapes, sys.exc_info()[1]))
        # here, so that layers come in the order in which they begin
        self._layers.setdefault(name, _Layer(module, name))

    def _leave(self, module: torch.nn.Module, args: Any, output: Any) -> None:
        if threading.get_ident() != self._thread or not self._calls:
            return
        if self._calls[-1].module is not module:
            return
        call = self._calls.pop()
        try:
            with torch.no_grad():
                self._note(call, list(_tensors(output)))
        finally:
            if not self._calls:
                self._leave_mode()

    def _is_wanted(self) -> bool:
        # a program that records calls in order to compile them must not record ours
        if torch.compiler.is_compiling() or torch.jit.is_tracing():
            return False
        is_own = threading.get_ident() == self._thread
        return is_own and (torch.is_grad_enabled() or not self._training_only)

    def _enter_mode(self) -> None:
        # a compiled function would be compiled once more under it
        if self._mode is None and not self._is_compiled:
            self._mode = Activations(self._source_of, self._note_activation)
            self._mode.__enter__()

    def _leave_mode(self) -> None:
        mode, self._mode = self._mode, None
        if mode is not None:
            mode.__exit__(None, None, None)

    # --- noting -------------------------------------------------------------------------------

    def _note(self, call: _Call, outputs: list[torch.Tensor]) -> None:
        layer = self._layers[call.name]
        # what has parameters of its own, or no layers in it, does more than hand on
        has_own = any(each is not None for each in call.module._parameters.values())
        if has_own or not call.has_parts:
            layer.is_shown = True
            layer.inputs = call.inputs
            layer.outputs = tuple(tuple(_size(tensor)) for tensor in outputs)
            layer.num_calls += sys.exc_info()[1] is call.error
            if outputs and is_measurable(outputs[0]):
                self._note_content(layer, outputs[0])
        self._note_units(call, outputs)
        for tensor in outputs:
            if is_measurable(tensor) and tensor.numel() and self._source_of(tensor) is None:
                self._outputs[tensor.data_ptr()] = _Output(
                    weakref.ref(tensor), _version(tensor), call.name, call.module
                )

    def _note_content(self, layer: _Layer, output: torch.Tensor) -> None:
        found = measure(output)
        layer.content = found if layer.content is None else layer.content.joined(found)
        if self._with_samples and output.dim() and _size(output, 0):
            layer.axis = unit_axis(layer.module, _size(output))
            layer.sample = torch.Tensor.detach(output)[0].clone()

    def _source_of(self, tensor: torch.Tensor) -> _Output | None:
        """Return the layer's output that `tensor` is, if it is certain that it is one."""
        if not is_measurable(tensor):
            return None
        known = self._outputs.get(tensor.data_ptr())
        alive = None if known is None else known.tensor()
        if known is None or alive is None or known.version != _version(tensor):
            return None
        same = _size(alive) == _size(tensor) and alive.stride() == tensor.stride()
        return known if same else None

    def _note_activation(self, name: str, source: _Output | None, result: torch.Tensor) -> None:
        if not self._calls or not is_measurable(result) or not result.numel():
            return
        call = self._calls[-1]
        shape = _size(result)
        axis = unit_axis(source.module if source else call.module, shape)
        if axis is None:
            return
        with torch.no_grad():
            counts = count_nonzero(result, axis)
        num_values = result.numel()
        num_zeros = num_values - sum(map(int, counts.tolist()))
        kind = "channels" if len(shape) > 2 and axis < len(shape) - 1 else "features"
        applied = Applied(name, weakref.ref(result), counts != 0, num_zeros, num_values, kind)
        if source is None:
            call.applied.append(applied)
        else:
            self._add_units(source.layer, applied)

    def _note_units(self, call: _Call, outputs: list[torch.Tensor]) -> None:
        """Find names for what the layer applied an activation to that is no layer's output."""
        numbers: Counter[str] = Counter()
        for applied in call.applied:
            name = call.name
            if not _is_any(applied.result(), outputs):
                numbers[applied.function] += 1
                number = numbers[applied.function]
                path = "" if call.name == ROOT else f"{call.name}."
                name = f"{path}{applied.function}{f'#{number}' if number > 1 else ''}()"
            self._add_units(name, applied)

    def _add_units(self, name: str, applied: Applied) -> None:
        known = self._units.get(name)
        if known is not None and known.is_alive.shape != applied.is_alive.shape:
            # one activation for outputs of several widths
            name = f"{name}[{len(applied.is_alive)}]"
            known = self._units.get(name)
        if known is None:
            self._units[name] = Units(
                name,
                applied.function,
                applied.kind,
                applied.is_alive,
                applied.num_zeros,
                applied.num_values,
            )
        else:
            known.is_alive = known.is_alive | applied.is_alive
            known.num_zeros += applied.num_zeros
            known.num_values += applied.num_values

    # --- what was noted -----------------------------------------------------------------------

    @property
    def units(self) -> Mapping[str, Units]:
        """The activations that were applied, by the layer that they are counted to."""
        return self._units

    def samples(self) -> dict[str, tuple[torch.Tensor, int | None]]:
        """Return each layer's output for one sample, and the dimension of its units in a batch."""
        return {
            layer.name: (layer.sample, layer.axis)
            for layer in self._layers.values()
            if layer.sample is not None
        }

    def layers(self) -> tuple[LayerFacts, ...]:
        """Return the facts about the layers that ran, in the order in which they began.

        Those that only hand on to layers within them are left out.
        """
        return tuple(self._facts(layer) for layer in self._layers.values() if layer.is_shown)

    def _facts(self, layer: _Layer) -> LayerFacts:
        parameters = {
            name: tuple(_size(parameter))
            for name, parameter in layer.module._parameters.items()
            if parameter is not None and not torch.nn.parameter.is_lazy(parameter)
        }
        units = self._units.get(layer.name)
        return LayerFacts(
            name=layer.name,
            type=type(layer.module).__name__,
            settings=settings_of(layer.module),
            parameters=parameters,
            num_parameters=sum(torch.Size(shape).numel() for shape in parameters.values()),
            num_calls=layer.num_calls,
            inputs=layer.inputs,
            outputs=layer.outputs,
            content=layer.content,
            activation=units and Activated(units.activation, units.zeros, units.dead()),
        )


def _reachable(
    module: torch.nn.Module, path: str, done: set[int]
) -> Iterator[tuple[str, torch.nn.Module]]:
    """Iterate over the layers that Python runs one by one, each once, with their paths."""
    if id(module) in done:
        return
    done.add(id(module))
    # what TorchScript has compiled takes no hooks, and those of a compiled call are compiled too
    if not (isinstance(module, torch.jit.ScriptModule) or _is_call_compiled(module)):
        yield path, module
    if _is_compiled(module):
        return
    for name, part in module._modules.items():
        # what computes a weight is no layer
        if part is not None and name != "parametrizations":
            yield from _reachable(part, f"{path}.{name}" if path else name, done)


def _is_compiled(module: torch.nn.Module) -> bool:
    is_wrapper = type(module).__name__ == "OptimizedModule"
    return is_wrapper or _is_call_compiled(module) or isinstance(module, torch.jit.ScriptModule)


def _is_call_compiled(module: torch.nn.Module) -> bool:
    return vars(module).get("_compiled_call_impl") is not None


def _tensors(value: Any, depth: int = _DEPTH) -> Iterator[torch.Tensor]:
    """Iterate over the tensors in a value, in their order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif depth and isinstance(value, (list, tuple, Mapping)):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _tensors(part, depth - 1)


def _is_any(result: torch.Tensor | None, outputs: list[torch.Tensor]) -> bool:
    """Tell whether `result` is one of `outputs`, or has its memory."""
    if result is None:
        return False
    return any(
        output is result
        or (
            is_measurable(output)
            and output.data_ptr() == result.data_ptr()
            and _size(output) == _size(result)
        )
        for output in outputs
    )


def _version(tensor: torch.Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version
