"""Opening the dynamic graph, making variables, switching recording off, gradients by hand.

May import: core_avx, framework, unique_name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ContextDecorator, ExitStack, contextmanager
from typing import Any

import numpy as np
import torch

from refluid.paddle.fluid import unique_name
from refluid.paddle.fluid.core_avx import BackwardStrategy, Place, VarBase
from refluid.paddle.fluid.core_avx.complex import ComplexVariable, from_complex
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.tracer import current_place, use_tracer
from refluid.paddle.fluid.core_avx.variable import from_numpy, plain, seen, wrap
from refluid.paddle.fluid.dygraph.tracer import Tracer
from refluid.paddle.fluid.framework import Program, dygraph_only, in_dygraph_mode, program_guard

__all__ = [
    "disable_dygraph",
    "disable_imperative",
    "enable_dygraph",
    "enable_imperative",
    "enabled",
    "grad",
    "guard",
    "no_grad",
    "to_variable",
]


class _Guard(ContextDecorator):
    """An open dynamic graph.

    It is open until it is left, also for a program that says `guard().__enter__()` and keeps
    nothing of it: `_open` holds it.
    """

    def __init__(self, place: Place | None) -> None:
        self._place = place
        self._entered: list[ExitStack] = []

    def __enter__(self) -> None:
        with ExitStack() as stack:
            stack.enter_context(program_guard(Program(), Program()))
            stack.enter_context(unique_name.guard())
            stack.enter_context(use_tracer(Tracer(self._place)))
            self._entered.append(stack.pop_all())
        _open.append(self)

    def __exit__(self, *error: object) -> None:
        _open.remove(self)
        self._entered.pop().close()


_open: list[_Guard] = []


def guard(place: Place | None = None) -> AbstractContextManager[None]:
    """Open the dynamic graph.

    Inside the block names count from 0, the program's seed is 0 and gradients are recorded.
    Same as Paddle 1.8.

    Args:
        place: where variables live; by default GPU 0 where there is one, else the CPU.

    Raises:
        TypeError: `place` is not a place.
    """
    if place is not None and not isinstance(place, Place):
        raise TypeError(
            f"`place` must be fluid.CPUPlace() or fluid.CUDAPlace(n), but received {place!r}."
        )
    return _Guard(place)


@contextmanager
def program_desc_tracing_guard(enable: bool) -> Iterator[None]:
    """Do nothing: it concerns the static graph alone. Same as Paddle 1.8."""
    yield


@contextmanager
def param_guard(parameters: dict[str, Any]) -> Iterator[None]:
    """Do nothing: it concerns the static graph alone. Same as Paddle 1.8."""
    yield


_enabled: AbstractContextManager[None] | None = None


def enable_dygraph(place: Place | None = None) -> None:
    """Open the dynamic graph until `disable_dygraph` is called. Same as Paddle 1.8."""
    global _enabled
    if _enabled is None:
        _enabled = guard(place)
        _enabled.__enter__()


def disable_dygraph() -> None:
    """Close the dynamic graph that `enable_dygraph` opened. Same as Paddle 1.8."""
    global _enabled
    if _enabled is not None:
        closing, _enabled = _enabled, None
        closing.__exit__(None, None, None)


enable_imperative = enable_dygraph
disable_imperative = disable_dygraph


def enabled() -> bool:
    """Return whether the dynamic graph is open. Same as Paddle 1.8."""
    return in_dygraph_mode()


@contextmanager
def _switch_tracer_mode_guard_(is_train: bool = True) -> Iterator[None]:
    """Record gradients or not; programs of Paddle's own use this name of it too."""
    recording = torch.is_grad_enabled()
    torch.set_grad_enabled(is_train)
    try:
        yield
    finally:
        torch.set_grad_enabled(recording)


def no_grad(func: Callable[..., Any] | None = None) -> Any:
    """Record no gradients, in a `with` block or throughout a decorated function.

    Same as Paddle 1.8: `with no_grad():` and `@no_grad`.
    """
    if func is None:
        return _switch_tracer_mode_guard_(is_train=False)

    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        with _switch_tracer_mode_guard_(is_train=False):
            return func(*args, **kwargs)

    return call


def to_variable(
    value: np.ndarray | VarBase | ComplexVariable,
    name: str | None = None,
    zero_copy: bool | None = None,
) -> Any:
    """Make a variable of an array.

    Same as Paddle 1.8: on the CPU the variable shares the array's memory, so writing to one
    changes the other, unless `zero_copy` is False or the array is not contiguous.

    Args:
        value: an array; a variable is returned unchanged.
        name: its name; by default `generated_var_N`.
        zero_copy: share the array's memory (CPU only; the default there).

    Returns:
        A variable of the array's shape and dtype, stop_gradient True; a ComplexVariable of a
        complex array.

    Raises:
        TypeError: `value` is something else, such as a list or a number.
        AssertionError: no guard is open.
    """
    if isinstance(value, (VarBase, ComplexVariable)):
        return value
    if isinstance(value, torch.Tensor):
        return wrap(plain(value))
    if not isinstance(value, np.ndarray):
        raise TypeError(
            "to_variable: `value` must be a numpy.ndarray or a Variable, but received "
            f"{type(value).__name__}; wrap it as in to_variable(np.array(value))."
        )
    assert in_dygraph_mode(), (
        "to_variable works in the dynamic graph only: call it inside `with fluid.dygraph.guard():`."
    )
    place = current_place()
    share = place.device.type == "cpu" and zero_copy is not False
    if np.iscomplexobj(value):
        name = unique_name.generate("_generated_var") if name is None else name
        return from_complex(value, place, zero_copy=share, name=name)
    return from_numpy(value, place, zero_copy=share, name=name or "")


@dygraph_only
def grad(
    outputs: VarBase | Sequence[VarBase],
    inputs: VarBase | Sequence[VarBase],
    grad_outputs: VarBase | Sequence[VarBase | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool = False,
    no_grad_vars: VarBase | Sequence[VarBase] | set[VarBase] | None = None,
    backward_strategy: BackwardStrategy | None = None,
) -> list[VarBase | None]:
    """Return the gradients of `outputs` with respect to `inputs`; `.gradient()` stays as it is.

    Same as Paddle 1.8.

    Args:
        outputs: what to differentiate.
        inputs: with respect to what.
        grad_outputs: where each output starts from; None means ones.
        retain_graph: keep the graph; by default as `create_graph`.
        create_graph: make the gradients differentiable themselves.
        only_inputs: must be True.
        allow_unused: give None for an input that no output depends on, instead of an error.
        no_grad_vars: variables through which no gradient flows.
        backward_strategy: accepted for compatibility.

    Returns:
        A list, one gradient for each input.

    Raises:
        AssertionError: an argument is of another type.
        EnforceNotMet: an input is unused, the graph was freed, or a variable is there twice.
    """
    outputs = _each_once(_variables(outputs, "outputs"), "outputs")
    inputs = _each_once(_variables(inputs, "inputs"), "inputs")
    starts = _starts(grad_outputs, outputs)
    blocked = () if no_grad_vars is None else _variables(no_grad_vars, "no_grad_vars")
    assert only_inputs, "`only_inputs` must be True."
    hooks: list[Any] = [v.register_hook(torch.zeros_like) for v in blocked if v.requires_grad]
    try:
        found = torch.autograd.grad(
            [seen(v) for v in outputs],
            inputs,
            starts,
            retain_graph=create_graph if retain_graph is None else retain_graph,
            create_graph=create_graph,
            allow_unused=allow_unused,
        )
    except RuntimeError as error:
        raise EnforceNotMet(f"grad: {error}") from None
    finally:
        for hook in hooks:
            hook.remove()
    made = _differentiable if create_graph else wrap
    return [None if g is None else made(g) for g in found]


def _differentiable(gradient: torch.Tensor) -> VarBase:
    """Return a gradient that can be differentiated, as a constant one can be in Paddle, too."""
    if gradient.requires_grad or gradient.is_sparse:
        return wrap(gradient)
    # another object: it may be one of `grad_outputs`
    constant = wrap(torch.Tensor.detach(gradient))
    constant.stop_gradient = False
    return constant


def _variables(value: Any, name: str) -> list[VarBase]:
    variables = list(value) if isinstance(value, (list, tuple, set)) else [value]
    assert variables, f"grad: `{name}` must not be empty."
    for v in variables:
        assert isinstance(v, VarBase), (
            f"grad: `{name}` must be a Variable or a list of them, but received {type(v).__name__}."
        )
    return variables


def _each_once(variables: list[VarBase], name: str) -> list[VarBase]:
    if len({id(v) for v in variables}) < len(variables):
        raise EnforceNotMet(f"grad: `{name}` has a Variable twice; give each of them once.")
    return variables


def _starts(grad_outputs: Any, outputs: list[VarBase]) -> list[torch.Tensor]:
    if grad_outputs is None:
        grad_outputs = [None] * len(outputs)
    elif not isinstance(grad_outputs, (list, tuple)):
        grad_outputs = [grad_outputs]
    assert len(grad_outputs) == len(outputs), (
        f"grad: `grad_outputs` must have one entry for each of the {len(outputs)} outputs, "
        f"but has {len(grad_outputs)}."
    )
    return [
        torch.ones_like(o) if g is None else _variables(g, "grad_outputs")[0]
        for o, g in zip(outputs, grad_outputs, strict=True)
    ]
