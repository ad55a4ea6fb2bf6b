"""Variables without values, and writing results into variables that are there already.

An operator called by its name writes into variables that the program has made before, so a
variable must become the result: same object and name, new values, shape, element type and place
in the graph. May import: torch, errors,
core_avx.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from refluid.errors import UnsupportedFluidAPI
from refluid.paddle.fluid.core_avx import tracer
from refluid.paddle.fluid.core_avx.array import Array
from refluid.paddle.fluid.core_avx.dtype import to_torch_dtype
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.tracer import current_place
from refluid.paddle.fluid.core_avx.variable import VarBase

__all__ = ["Blank", "blank", "write"]


class Blank(VarBase):
    """A variable that no operator has written to yet; afterwards it is a plain `VarBase`.

    Reading it raises EnforceNotMet, as in Paddle. Outputs that only Paddle's backward passes need,
    such as the `XShape` of `reshape2`, stay blank, and so does what describes a reader's data.
    """

    __module__ = "paddle.fluid.core_avx"

    _stop: bool | None = None
    _sizes: Sequence[int] = ()

    @property
    def shape(self) -> list[int]:
        """The sizes that were given for it, -1 for one that is not known; none by default."""
        return list(self._sizes)

    @property
    def stop_gradient(self) -> bool:
        """True, or what was set before the first operator wrote to it."""
        return self._stop is not False

    @stop_gradient.setter
    def stop_gradient(self, value: bool) -> None:
        self._stop = bool(value)

    def numpy(self) -> Array:
        """Refuse: there are no values."""
        raise self._empty()

    @property
    def _cut(self) -> bool:
        # what operators ask of each variable first
        raise self._empty()

    def _empty(self) -> EnforceNotMet:
        return EnforceNotMet(
            f"the variable `{self.name}` is empty: no operator has written to it. If one was "
            "given it as an output, refluid does not compute that output."
        )

    def to_string(self, throw_on_error: bool, with_details: bool = False) -> str:
        """Return Paddle's text of a variable without values."""
        return f"name {self.name}, shape: {self.shape}, not inited"


_by_name = functools.cache(to_torch_dtype)


def blank(dtype: Any = "float32", name: str | None = None, sizes: Sequence[int] = ()) -> Blank:
    """Return a variable without values, called `tmp_N` unless it is given a name.

    Args:
        dtype: element type.
        name: by default `tmp_N`.
        sizes: what its `shape` says until an operator writes to it.
    """
    kind = _by_name(dtype) if type(dtype) is str else to_torch_dtype(dtype)
    made: Any = torch.empty(0, dtype=kind, device=current_place().device)
    # not as_subclass, whose result is a view, which no graph can be written into
    made.__class__ = Blank
    made._number = tracer.next_number()
    if name:
        made._name = name
    if sizes:
        made._sizes = tuple(sizes)
    return made


def write(result: Tensor, variable: Tensor) -> Tensor:
    """Make a variable an operator's result, and return it.

    Parameters, and other variables that persist, keep their memory and are no part of the graph;
    any other variable takes the place of the result in the graph.

    Raises:
        UnsupportedFluidAPI: gradients would have to flow through a variable that is a view.
    """
    if variable is result:
        return variable
    wanted = variable._stop if isinstance(variable, Blank) else None
    if isinstance(variable, Blank):
        variable.__class__ = VarBase  # type: ignore[assignment]
    # not the method of VarBase, which copies
    source = torch.Tensor.detach(result)
    if getattr(variable, "persistable", False) or (variable.is_leaf and variable.requires_grad):
        same = variable.size() == source.size() and variable.data.dtype == source.dtype
        variable.data = variable.data.copy_(source) if same else source.clone()
        return variable
    variable._freed = False  # type: ignore[attr-defined]
    variable._cut = False  # type: ignore[attr-defined]
    if not result.requires_grad:
        if not variable.is_leaf:
            variable.detach_()
        variable.data = source
        return variable
    if variable._is_view():
        raise UnsupportedFluidAPI(
            "an operator cannot write its result, through which gradients flow, into the result of "
            "reshape, transpose or the like; give it a variable of its own."
        )
    # new memory: whoever shares the old one keeps its values, and so does the graph
    variable.data = torch.empty_like(source)
    variable.copy_(result)
    tracer.note_result(variable)
    if wanted:
        variable._cut = True  # type: ignore[attr-defined]
    return variable
