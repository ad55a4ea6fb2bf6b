"""Decorators and traces that compile in Paddle, and run as they are here.

`declarative` and `TracedLayer` promise the results of the dynamic graph, and those a function or a
Layer gives by running again. What is fixed by a trace in Paddle is fixed here too: whether its
parts train or evaluate, and whether gradients are recorded, which dropout goes by. Branches are
not: a traced Layer decides anew at each call.
May import: core_avx, errors, compiler, framework, dygraph.layers, dygraph_to_static.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
import torch

from refluid.errors import UnsupportedFluidAPI
from refluid.paddle.fluid.compiler import BuildStrategy, ExecutionStrategy
from refluid.paddle.fluid.core_avx import Place, VarBase
from refluid.paddle.fluid.core_avx.tracer import current_place
from refluid.paddle.fluid.core_avx.variable import from_numpy
from refluid.paddle.fluid.dygraph.dygraph_to_static import ProgramTranslator
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.framework import dygraph_only, in_dygraph_mode

__all__ = ["ProgramTranslator", "TracedLayer", "declarative", "dygraph_to_static_func"]


def declarative(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function or method as it is, to run in the dynamic graph.

    Differs from Paddle, which rewrites the function into a static graph when it is called first:
    here Python's own `if`, `for` and `while` decide, with the values of variables.

    Raises:
        TypeError: `func` cannot be called.
    """
    if not callable(func):
        raise TypeError(f"`func` must be a function, but received {type(func).__name__}.")
    return func


def dygraph_to_static_func(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function as it is, as Paddle 1.8 runs it in the dynamic graph.

    Raises:
        TypeError: `func` cannot be called.
    """
    return declarative(func)


def extract_vars(inputs: Any) -> list[VarBase]:
    """Return the variables in a list or tuple, and in those inside it. Same as Paddle 1.8."""
    if isinstance(inputs, VarBase):
        return [inputs]
    if isinstance(inputs, (list, tuple)):
        return [variable for entry in inputs for variable in extract_vars(entry)]
    return []


class TracedLayer:
    """A Layer that was run once, to be run again in the same mode. Made by `TracedLayer.trace`.

    Differs from Paddle: the Layer itself runs at each call; there is no program, so it can neither
    be handed out nor saved.

    Args:
        program: Paddle's static graph, which nobody can have here.
        parameters: of that program.
        feed_names: of that program.
        fetch_names: of that program.

    Raises:
        UnsupportedFluidAPI: always; `TracedLayer.trace(layer, inputs)` makes one.
    """

    __module__ = "paddle.fluid.dygraph.jit"
    _layer: Layer
    _inputs: Sequence[Any]
    _modes: list[tuple[torch.nn.Module, bool]]
    _recording: bool
    _place: Place
    _ran: bool

    def __init__(self, program: Any, parameters: Any, feed_names: Any, fetch_names: Any) -> None:
        _refuse("`TracedLayer(program, ...)` runs", "`TracedLayer.trace(layer, inputs)` makes one")

    @staticmethod
    @dygraph_only
    def trace(layer: Layer, inputs: Any) -> tuple[Any, TracedLayer]:
        """Run a Layer, and remember how.

        Same as Paddle 1.8, except that branches are decided anew at each call of the result.

        Args:
            layer: what to run.
            inputs: its arguments, as a list or tuple; variables in them, also in lists among them,
                are what the result takes anew at each call, everything else stays as it is.

        Returns:
            The Layer's outputs, and the TracedLayer.

        Raises:
            AssertionError: `layer` is no Layer, or no guard is open.
            TypeError: the Layer returns something else than variables.
        """
        assert isinstance(layer, Layer), (
            f"`layer` must be a Layer, but received {type(layer).__name__}."
        )
        traced = TracedLayer.__new__(TracedLayer)
        traced._layer = layer
        traced._inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        traced._modes = [(module, module.training) for module in layer.modules()]
        traced._recording = torch.is_grad_enabled()
        traced._place = current_place()
        traced._ran = False
        outputs = layer(*traced._inputs)
        _as_variables(outputs)
        return outputs, traced

    @property
    def program(self) -> NoReturn:
        """Refuse: there is no program."""
        _refuse("`TracedLayer.program` is", "call the TracedLayer itself")

    def set_strategy(
        self,
        build_strategy: BuildStrategy | None = None,
        exec_strategy: ExecutionStrategy | None = None,
    ) -> None:
        """Accept how Paddle shall compile and run, which has no effect here.

        Raises:
            AssertionError: the TracedLayer has been called already.
            TypeError: an argument is something else.
        """
        assert not self._ran, "set_strategy must be called before the TracedLayer is."
        for name, value, expected in (
            ("build_strategy", build_strategy, BuildStrategy),
            ("exec_strategy", exec_strategy, ExecutionStrategy),
        ):
            if not isinstance(value, (expected, type(None))):
                raise TypeError(
                    f"`{name}` must be a fluid.{expected.__name__}, but received {value!r}."
                )

    def __call__(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Run the Layer on other inputs, in the mode of the trace.

        Args:
            inputs: one for each variable that `trace` was given: variables, or arrays outside of
                `fluid.dygraph.guard()`.

        Returns:
            The outputs as arrays, always in a list.

        Raises:
            AssertionError: `inputs` is no list or tuple, or not of that length.
            TypeError: one is neither a variable nor, outside of a guard, an array.
        """
        assert isinstance(inputs, (list, tuple)), (
            f"`inputs` must be a list or tuple, but received {type(inputs).__name__}."
        )
        expected = len(extract_vars(self._inputs))
        assert len(inputs) == expected, (
            f"`inputs` must hold {expected} variables, as for `trace`, but holds {len(inputs)}."
        )
        variables = iter([self._as_input(value) for value in inputs])
        self._ran = True
        with _Modes(self._modes, self._recording):
            outputs = self._layer(*_filled(self._inputs, variables))
        return [np.asarray(output.numpy()) for output in _as_variables(outputs)]

    def _as_input(self, value: Any) -> VarBase:
        """Return one input as a variable."""
        if isinstance(value, np.ndarray) and not in_dygraph_mode():
            return from_numpy(value, self._place)
        if not isinstance(value, VarBase):
            raise TypeError(
                f"`inputs` must hold variables, but one is of type {type(value).__name__}; make "
                "one with fluid.dygraph.to_variable(numpy_array)."
            )
        return value

    def save_inference_model(
        self, dirname: str, feed: Sequence[int] | None = None, fetch: Sequence[int] | None = None
    ) -> NoReturn:
        """Refuse: there is no program to be saved.

        Raises:
            UnsupportedFluidAPI: always.
        """
        _refuse(
            "`TracedLayer.save_inference_model` writes",
            "`fluid.dygraph.save_dygraph(layer.state_dict(), path)` keeps the parameters, and "
            "torch.onnx or torch.export the computation",
        )


class _Modes:
    """Puts modules and recording into given modes for a block, and back afterwards."""

    def __init__(self, modes: list[tuple[torch.nn.Module, bool]], recording: bool) -> None:
        self._modes = modes
        self._recording = recording

    def __enter__(self) -> None:
        self._before = [module.training for module, _ in self._modes]
        self._recording_before = torch.is_grad_enabled()
        for module, training in self._modes:
            module.training = training
        torch.set_grad_enabled(self._recording)

    def __exit__(self, *error: object) -> None:
        torch.set_grad_enabled(self._recording_before)
        for (module, _), training in zip(self._modes, self._before, strict=True):
            module.training = training


def _filled(inputs: Any, variables: Iterator[VarBase]) -> Any:
    """Return `inputs` with the next variables in place of those inside."""
    if isinstance(inputs, VarBase):
        return next(variables)
    if isinstance(inputs, (list, tuple)):
        return type(inputs)([_filled(entry, variables) for entry in inputs])
    return inputs


def _as_variables(outputs: Any) -> list[VarBase]:
    """Return what a Layer gives as a list of variables."""
    listed = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    for output in listed:
        if not isinstance(output, VarBase):
            raise TypeError(
                "TracedLayer: the Layer must return variables, or a list or tuple of them, but "
                f"returned {type(output).__name__}."
            )
    return listed


def _refuse(what: str, instead: str) -> NoReturn:
    """Say that something belongs to the static graph."""
    raise UnsupportedFluidAPI(
        f"{what} Paddle's static graph, which refluid does not have: a traced Layer runs as it is. "
        f"Instead: {instead}."
    )
