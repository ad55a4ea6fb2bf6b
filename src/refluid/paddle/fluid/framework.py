"""The dynamic graph's surroundings: modes, parameters, places, the program that holds the seed.

Paddle keeps the static graph here too. Of that only what dynamic-graph programs touch in passing
is there: an empty `Program` that has a `random_seed`, `default_main_program()`, `program_guard`,
and guards of names and devices, which have no effect in Paddle's dynamic graph either.
May import: core_avx, unique_name, paddle.version.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from refluid.paddle.fluid import core_avx, unique_name
from refluid.paddle.fluid.core_avx import CPUPlace, CUDAPinnedPlace, CUDAPlace, Tracer, VarBase
from refluid.paddle.fluid.core_avx import tracer as _tracer
from refluid.paddle.fluid.core_avx.complex import ComplexVariable
from refluid.paddle.fluid.core_avx.dtype import VarType, to_torch_dtype, to_var_type
from refluid.paddle.fluid.core_avx.flag import get_flags, set_flags
from refluid.paddle.fluid.core_avx.parameter import ParamBase
from refluid.paddle.fluid.core_avx.place import Place
from refluid.paddle.fluid.core_avx.program import Block, NameScope, Program
from refluid.paddle.version import full_version

__all__ = [
    "Block",
    "CPUPlace",
    "CUDAPinnedPlace",
    "CUDAPlace",
    "ComplexVariable",
    "NameScope",
    "ParamBase",
    "Parameter",
    "ParameterMetaClass",
    "Program",
    "Variable",
    "VariableMetaClass",
    "convert_np_dtype_to_dtype_",
    "cpu_places",
    "cuda_pinned_places",
    "cuda_places",
    "default_main_program",
    "default_startup_program",
    "device_guard",
    "dtype_is_floating",
    "get_flags",
    "grad_var_name",
    "in_dygraph_mode",
    "is_compiled_with_cuda",
    "name_scope",
    "program_guard",
    "require_version",
    "set_flags",
    "switch_device",
    "switch_main_program",
    "switch_startup_program",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


# --- variables and parameters -------------------------------------------------------------------

Variable = VarBase
Parameter = ParamBase


class VariableMetaClass(type):
    """Makes classes whose instances are all variables, as Paddle's `Variable` is one."""

    def __instancecheck__(cls, instance: object) -> bool:
        """Return whether `instance` is a variable."""
        return isinstance(instance, VarBase)


class ParameterMetaClass(VariableMetaClass):
    """Makes classes whose instances are all parameters, as Paddle's `Parameter` is one."""

    def __instancecheck__(cls, instance: object) -> bool:
        """Return whether `instance` is a parameter."""
        return isinstance(instance, ParamBase)


# --- the program, which holds the seed ----------------------------------------------------------

_main_program = Program()
_startup_program = Program()


def default_main_program() -> Program:
    """Return the current main program, whose `random_seed` initializers and dropout follow."""
    return _main_program


def default_startup_program() -> Program:
    """Return the current startup program; its seed has no effect in the dynamic graph."""
    return _startup_program


def switch_main_program(program: Program) -> Program:
    """Make `program` the main program and return the one before."""
    global _main_program
    before, _main_program = _main_program, program
    return before


def switch_startup_program(program: Program) -> Program:
    """Make `program` the startup program and return the one before."""
    global _startup_program
    before, _startup_program = _startup_program, program
    return before


@contextmanager
def program_guard(main_program: Program, startup_program: Program | None = None) -> Iterator[None]:
    """Use other programs, and so another seed, inside the block."""
    for name, program in (("main_program", main_program), ("startup_program", startup_program)):
        if program is not None and not isinstance(program, Program):
            raise TypeError(f"`{name}` must be a Program, but received {program!r}.")
    main = switch_main_program(main_program)
    startup = switch_startup_program(startup_program) if startup_program is not None else None
    try:
        yield
    finally:
        switch_main_program(main)
        if startup is not None:
            switch_startup_program(startup)


@contextmanager
def name_scope(prefix: str | None = None) -> Iterator[None]:
    """Do nothing: names of operators concern the static graph alone. Same as Paddle 1.8."""
    yield


_device: str | None = None


def switch_device(device: str | None) -> str | None:
    """Note a device for operators of the static graph, and return the one before.

    Same as Paddle 1.8: the dynamic graph takes no notice.
    """
    global _device
    before, _device = _device, device
    return before


@contextmanager
def device_guard(device: str | None = None) -> Iterator[None]:
    """Do nothing but check: devices of operators concern the static graph alone.

    Same as Paddle 1.8, where the dynamic graph takes its place from `fluid.dygraph.guard`.

    Args:
        device: "cpu", "gpu", "" or None.

    Raises:
        ValueError: `device` is something else.
    """
    if device not in ("cpu", "gpu", "", None):
        raise ValueError(f'`device` must be "cpu", "gpu" or None, but received {device!r}.')
    before = switch_device(device)
    try:
        yield
    finally:
        switch_device(before)


# --- modes and places ---------------------------------------------------------------------------


def in_dygraph_mode() -> bool:
    """Return whether a `fluid.dygraph.guard()` is open."""
    return _tracer.current_tracer() is not None


def dygraph_only(function: _Function) -> _Function:
    """Make a function raise AssertionError outside of `fluid.dygraph.guard()`."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        assert in_dygraph_mode(), (
            f"{function.__name__} works in the dynamic graph only: "
            "call it inside `with fluid.dygraph.guard():`."
        )
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def _dygraph_tracer() -> Tracer | None:
    return _tracer.current_tracer()


def _current_expected_place() -> Place:
    return _tracer.current_place()


def is_compiled_with_cuda() -> bool:
    """Return whether programs can use a GPU on this machine."""
    return core_avx.is_compiled_with_cuda()


def cpu_places(device_count: int | None = None) -> list[CPUPlace]:
    """Return `device_count` CPU places; by default one."""
    return [CPUPlace() for _ in range(1 if device_count is None else device_count)]


def cuda_places(device_ids: Sequence[int] | None = None) -> list[CUDAPlace]:
    """Return the places of the given GPUs.

    Same as Paddle 1.8: by default of those that a launcher has given this process, in
    FLAGS_selected_gpus, or else of all that are there.
    """
    assert is_compiled_with_cuda(), "this machine has no GPU that torch can use."
    if device_ids is None:
        selected = str(get_flags("FLAGS_selected_gpus")["FLAGS_selected_gpus"])
        given = [int(k) for k in selected.split(",")] if selected else None
        device_ids = given or range(core_avx.get_cuda_device_count())
    return [CUDAPlace(k) for k in device_ids]


def cuda_pinned_places(device_count: int | None = None) -> list[CUDAPinnedPlace]:
    """Return `device_count` places of page-locked memory; by default one."""
    assert is_compiled_with_cuda(), "this machine has no GPU that torch can use."
    return [CUDAPinnedPlace() for _ in range(1 if device_count is None else device_count)]


# --- names and types ----------------------------------------------------------------------------


def convert_np_dtype_to_dtype_(np_dtype: Any) -> VarType:
    """Return the VarType of a NumPy dtype, its name, or a VarType."""
    return to_var_type(np_dtype)


def dtype_is_floating(dtype: Any) -> bool:
    """Return whether an element type is a floating-point one."""
    return to_torch_dtype(dtype).is_floating_point


def grad_var_name(var_name: str) -> str:
    """Return the name of the gradient of the variable called `var_name`."""
    return var_name + "@GRAD"


def require_version(min_version: str, max_version: str | None = None) -> None:
    """Check that the Paddle version in use (1.8.5) lies between two versions.

    Raises:
        TypeError: a version is not a string.
        ValueError: a version is not of the form "1.8.5".
        Exception: 1.8.5 does not lie between them.
    """
    bounds = []
    for name, version in (("min_version", min_version), ("max_version", max_version)):
        if version is None:
            continue
        if not isinstance(version, str):
            raise TypeError(f"`{name}` must be a str, but received {version!r}.")
        parts = version.split(".")
        if not (1 <= len(parts) <= 4 and all(part.isdigit() for part in parts)):
            raise ValueError(f'`{name}` must look like "1.8.5", but received {version!r}.')
        bounds.append(tuple(int(part) for part in [*parts, "0", "0", "0"][:4]))
    current = (*(int(part) for part in full_version.split(".")), 0)
    if bounds[0] > current or (len(bounds) > 1 and bounds[1] < current):
        wanted = min_version if max_version is None else f"{min_version} to {max_version}"
        # a bare Exception, which is what Paddle raises and scripts catch
        raise Exception(
            f"version {wanted} of Paddle is required, but refluid stands for {full_version}."
        )


def unique_parameter_name(name: str) -> str:
    """Return `name`, noted as taken in this guard.

    Raises:
        ValueError: another parameter of this guard has that name.
    """
    if unique_name.dygraph_parameter_name_checker(name):
        raise ValueError(
            f"`name`: a parameter called {name!r} exists already in this guard; "
            "choose another name in its ParamAttr."
        )
    return name
