"""The dynamic graph's surroundings: modes, parameters, places, the program that holds the seed.

Paddle keeps the static graph here too. Of that only what dynamic-graph programs touch in passing
is there: a `Program` that has a `random_seed`, `default_main_program()`, `program_guard`.
May import: core_avx, unique_name, paddle.version.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

from refluid.paddle.fluid import core_avx, unique_name
from refluid.paddle.fluid.core_avx import CPUPlace, CUDAPinnedPlace, CUDAPlace, Tracer, VarBase
from refluid.paddle.fluid.core_avx import tracer as _tracer
from refluid.paddle.fluid.core_avx.dtype import VarType, to_torch_dtype, to_var_type
from refluid.paddle.fluid.core_avx.place import Place
from refluid.paddle.version import full_version

__all__ = [
    "CPUPlace",
    "CUDAPinnedPlace",
    "CUDAPlace",
    "ParamBase",
    "Parameter",
    "Program",
    "Variable",
    "convert_np_dtype_to_dtype_",
    "cpu_places",
    "cuda_pinned_places",
    "cuda_places",
    "default_main_program",
    "default_startup_program",
    "dtype_is_floating",
    "grad_var_name",
    "in_dygraph_mode",
    "is_compiled_with_cuda",
    "program_guard",
    "require_version",
    "switch_main_program",
    "switch_startup_program",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


# --- variables and parameters -------------------------------------------------------------------

Variable = VarBase


class ParamBase(VarBase, torch.nn.Parameter):  # type: ignore[override]
    """A parameter of a Layer: a VarBase that is a torch.nn.Parameter too.

    Same as Paddle 1.8. It starts with undefined values; `Layer.create_parameter` fills them.

    Args:
        shape: sizes, all positive.
        dtype: element type.
        **kwargs: `name`, `trainable` (True), `optimize_attr` ({"learning_rate": 1.0}),
            `regularizer` (None), `do_model_average` (None), `is_distributed` (False).

    Raises:
        ValueError: a size is not positive.
    """

    __module__ = "paddle.fluid.framework"

    persistable = True
    _prefix = "parameter"
    trainable: bool
    optimize_attr: dict[str, float]
    regularizer: Any
    do_model_average: Any
    is_distributed: bool  # type: ignore[assignment]

    def __new__(cls, shape: Sequence[int], dtype: Any, **kwargs: Any) -> ParamBase:
        """Make a parameter whose values are not defined yet."""
        if not all(isinstance(n, int) and n > 0 for n in shape):
            raise ValueError(f"`shape` must be positive ints, but received {list(shape)}.")
        torch_dtype = to_torch_dtype(dtype)
        trainable = kwargs.get("trainable", True)
        data = torch.empty(tuple(shape), dtype=torch_dtype, device=_tracer.current_place().device)
        self = torch.Tensor._make_subclass(cls, data, trainable and torch_dtype.is_floating_point)
        self._name = kwargs.get("name")
        self.trainable = trainable
        self.optimize_attr = kwargs.get("optimize_attr", {"learning_rate": 1.0})
        self.regularizer = kwargs.get("regularizer")
        self.do_model_average = kwargs.get("do_model_average")
        self.is_distributed = kwargs.get("is_distributed", False)
        if self.requires_grad:
            _tracer.note_leaf(self)
        return self

    def __init__(self, shape: Sequence[int], dtype: Any, **kwargs: Any) -> None:
        """Accept the arguments of `__new__`, which uses them."""

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return str(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> ParamBase:
        copy = type(self)(
            self.shape,
            self.dtype,
            name=self._name,
            trainable=self.trainable,
            optimize_attr=dict(self.optimize_attr),
            regularizer=self.regularizer,
            do_model_average=self.do_model_average,
            is_distributed=self.is_distributed,
        )
        copy.set_value(self)
        copy.stop_gradient = self.stop_gradient
        memo[id(self)] = copy
        return copy


Parameter = ParamBase


# --- the program, which holds the seed ----------------------------------------------------------


class Program:
    """The program that a guard opens; in the dynamic graph only its seed matters.

    Setting `random_seed` to other than 0 makes every initializer and dropout that has no seed of
    its own start from it, with Paddle's own numbers.
    """

    def __init__(self) -> None:
        self._seed = 0

    @property
    def random_seed(self) -> int:
        """The seed; 0 means a different one each time."""
        return self._seed

    @random_seed.setter
    def random_seed(self, seed: int) -> None:
        if not isinstance(seed, int):
            raise ValueError(f"`random_seed` must be an int, but received {seed!r}.")
        self._seed = seed

    def global_seed(self, seed: int = 0) -> None:
        """Set the seed of this program and of those that are made later."""
        self.random_seed = seed

    def global_block(self) -> Program:
        """Return the program, which stands for its only block."""
        return self

    current_block = global_block


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
    """Return the places of the given GPUs; by default of all that are there."""
    assert is_compiled_with_cuda(), "this machine has no GPU that torch can use."
    if device_ids is None:
        device_ids = range(core_avx.get_cuda_device_count())
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
