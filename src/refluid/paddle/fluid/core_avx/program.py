"""Programs and their blocks: what is left of the static graph in the dynamic one.

In the dynamic graph operators run at once, so a program stays empty: it holds a seed, which
initializers and dropout follow, and one block, by which old code makes variables and parameters
and runs operators.
May import: torch, dtype, parameter, table, tracer, variable.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from refluid.paddle.fluid.core_avx.dtype import VarType, to_torch_dtype
from refluid.paddle.fluid.core_avx.parameter import ParamBase
from refluid.paddle.fluid.core_avx.table import blank, trace
from refluid.paddle.fluid.core_avx.tracer import current_place
from refluid.paddle.fluid.core_avx.variable import VarBase, wrap

__all__ = ["Block", "NameScope", "Program"]

_VERSION = 1008005  # as Paddle 1.8.5 writes its own
_NO_PARENT = -1


class Program:
    """The program that a guard opens; in the dynamic graph it is empty, and only its seed matters.

    Setting `random_seed` to other than 0 makes every initializer and dropout that has no seed of
    its own start from it, with Paddle's own numbers.
    """

    __module__ = "paddle.fluid.framework"
    _seed_of_new = 0

    def __init__(self) -> None:
        self._seed = Program._seed_of_new
        self.blocks = [Block(self, 0)]
        self.current_block_idx = 0

    @property
    def random_seed(self) -> int:
        """The seed; 0 means a different one each time."""
        return self._seed

    @random_seed.setter
    def random_seed(self, seed: int) -> None:
        if not isinstance(seed, int):
            raise ValueError(f"`random_seed` must be an int, but received {seed!r}.")
        self._seed = seed

    @property
    def num_blocks(self) -> int:
        """The number of blocks: one."""
        return len(self.blocks)

    def global_seed(self, seed: int = 0) -> None:
        """Set the seed of this program and of those that are made later, as in each guard."""
        self.random_seed = seed
        Program._seed_of_new = seed

    def global_block(self) -> Block:
        """Return the only block."""
        return self.blocks[0]

    def current_block(self) -> Block:
        """Return the only block."""
        return self.blocks[self.current_block_idx]

    def block(self, index: int) -> Block:
        """Return the block of a number; there is only 0."""
        return self.blocks[index]

    @contextmanager
    def _lr_schedule_guard(self, is_with_opt: bool = False) -> Iterator[None]:
        """Do nothing: programs mark their own decays by it. Same as Paddle 1.8."""
        yield

    def all_parameters(self) -> list[ParamBase]:
        """Return an empty list: parameters belong to Layers, whose `parameters()` lists them."""
        return self.global_block().all_parameters()

    def list_vars(self) -> Iterator[VarBase]:
        """Yield nothing: variables belong to nobody."""
        return iter(self.global_block().vars.values())

    def clone(self, for_test: bool = False) -> Program:
        """Return another program with this one's seed."""
        copy = Program()
        copy._seed = self._seed
        return copy

    def to_string(self, throw_on_error: bool, with_details: bool = False) -> str:
        """Return Paddle's text of an empty program."""
        lines = "".join(f"  {line}\n" for line in str(self.global_block()).splitlines())
        return f"blocks {{\n{lines}}}\nversion {{\n  version: {_VERSION}\n}}\n"

    def __str__(self) -> str:
        return self.to_string(True)

    __repr__ = __str__


class Block:
    """A part of a program, empty as that is; it makes variables and parameters.

    Same as Paddle 1.8 in the dynamic graph, where a block knows nothing of what it has made.

    Args:
        program: where it belongs.
        idx: its number in the program.
    """

    __module__ = "paddle.fluid.framework"
    parent_idx = forward_block_idx = backward_block_idx = _NO_PARENT

    def __init__(self, program: Program, idx: int) -> None:
        if not isinstance(program, Program):
            raise TypeError(f"`program` must be a Program, but received {program!r}.")
        self.program = program
        self.idx = idx
        self.vars: OrderedDict[str, VarBase] = OrderedDict()
        self.ops: list[Any] = []

    def create_var(
        self,
        type: VarType = VarType.LOD_TENSOR,
        name: str | None = None,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        persistable: bool | None = None,
        **kwargs: Any,
    ) -> VarBase:
        """Make a variable, filled with zeros; one of a size that is not known is empty.

        Args:
            type: the kind of variable: always a dense tensor.
            name: by default `generated_var_N`.
            shape: its sizes, -1 for one that is not known; by default one element.
            dtype: element type, by default float32.
            persistable: what its attribute of that name shall be.
            **kwargs: accepted for compatibility.
        """
        dtype = "float32" if dtype is None else dtype
        if shape and min(shape) < 0:
            variable: VarBase = blank(dtype, sizes=shape)
        else:
            zeros = torch.zeros(tuple(shape or ()), dtype=to_torch_dtype(dtype))
            variable = wrap(zeros.to(current_place().device))
        variable._prefix = "generated_var"
        variable._name = name
        variable.persistable = bool(persistable)
        return variable

    def create_parameter(
        self, shape: Sequence[int], dtype: Any, initializer: Any = None, **kwargs: Any
    ) -> ParamBase:
        """Make a parameter; without an initializer its values are not defined yet.

        Args:
            shape: sizes, all positive.
            dtype: element type.
            initializer: is called with the parameter and this block.
            **kwargs: as for `ParamBase`.
        """
        parameter = ParamBase(shape, dtype, **kwargs)
        if initializer is not None:
            initializer(parameter, self)
        return parameter

    def append_op(
        self,
        type: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        attrs: Mapping[str, Any] | None = None,
        stop_gradient: bool = False,
        **kwargs: Any,
    ) -> None:
        """Run an operator by its name and write its results into variables.

        Differs from Paddle: it returns None, not an Operator.

        Args:
            type: Paddle's operator name.
            inputs: a variable or a list of them for each input.
            outputs: likewise for each output.
            attrs: the operator's settings.
            stop_gradient: record no gradients.
            **kwargs: accepted for compatibility.

        Raises:
            TypeError: the arguments are no name and dictionaries.
            EnforceNotMet: Paddle has no such operator, or what it is given does not fit.
            UnsupportedFluidAPI: Paddle has it and refluid does not.
        """
        trace(type, inputs, outputs, attrs, stop_gradient)  # type: ignore[arg-type]

    _prepend_op = append_op

    def all_parameters(self) -> list[ParamBase]:
        """Return an empty list: parameters belong to Layers, whose `parameters()` lists them."""
        return list(self.iter_parameters())

    def iter_parameters(self) -> Iterator[ParamBase]:
        """Yield nothing, as `all_parameters`."""
        return (v for v in self.vars.values() if isinstance(v, ParamBase))

    def has_var(self, name: str) -> bool:
        """Return False: a block knows no variables."""
        return name in self.vars

    def var(self, name: str) -> VarBase:
        """Refuse, since a block knows no variables.

        Raises:
            TypeError: `name` is not a str.
            ValueError: the block has no variable of that name.
        """
        if not isinstance(name, str):
            raise TypeError(f"`name` must be a str, but received {name!r}.")
        if name not in self.vars:
            raise ValueError(
                f"`name`: no variable {name!r} in this block. In the dynamic graph a program holds "
                "none; a model's parameters are in model.state_dict()."
            )
        return self.vars[name]

    def to_string(self, throw_on_error: bool, with_details: bool = False) -> str:
        """Return Paddle's text of an empty block."""
        return f"idx: {self.idx}\nparent_idx: {self.parent_idx}\n"

    def __str__(self) -> str:
        return self.to_string(True)

    __repr__ = __str__


class NameScope:
    """A prefix of names, with those inside it. Same as Paddle 1.8.

    Args:
        name: the prefix.
        parent: the scope around it.
    """

    __module__ = "paddle.fluid.framework"

    def __init__(self, name: str = "", parent: NameScope | None = None) -> None:
        self._children: dict[str, int] = {}
        self._name = name
        self._parent = parent

    def child(self, prefix: str) -> NameScope:
        """Return a new scope inside this one: the second of a prefix is called `prefix_1`."""
        count = self._children.get(prefix, 0)
        self._children[prefix] = count + 1
        return NameScope(f"{prefix}_{count}" if count else prefix, self)

    def parent(self) -> NameScope | None:
        """Return the scope around this one."""
        return self._parent

    def name(self) -> str:
        """Return the prefix."""
        return self._name
