"""Running operators by their names: `trace`, behind `append_op`, and the functions of `core.ops`.

    trace("relu", {"X": [x]}, {"Out": [out]}, {})      writes into `out`
    ops.relu(x)                                        returns the result
    ops.matmul(x, y, out, "transpose_X", True)         some of Paddle's write into a variable, too

May import: torch, errors, core_avx.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeGuard

import torch

from refluid.errors import UnsupportedFluidAPI, UnsupportedFluidAttribute
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import describe
from refluid.paddle.fluid.core_avx.table.blank import blank, write
from refluid.paddle.fluid.core_avx.table.facts import facts_of, names
from refluid.paddle.fluid.core_avx.table.route import Route, find, variables

__all__ = ["ops", "trace"]


def trace(
    op_type: str,
    inputs: Mapping[str, Any] | None,
    outputs: Mapping[str, Any] | None,
    attrs: Mapping[str, Any] | None = None,
    stop_gradient: bool = False,
) -> None:
    """Run an operator by its name and write its results into variables.

    Args:
        op_type: Paddle's operator name.
        inputs: a variable or a list of them for each input.
        outputs: likewise for each output; a variable is written into whatever it held before.
        attrs: the operator's settings; unknown ones are passed over, as in Paddle.
        stop_gradient: record no gradients.

    Raises:
        TypeError: the arguments are no name and dictionaries.
        EnforceNotMet: Paddle has no such operator, or what it needs is missing or does not fit.
        UnsupportedFluidAPI: Paddle has it and refluid does not.
    """
    inputs, outputs, attrs = _checked(op_type, inputs, outputs, attrs)
    route = find(op_type)
    values = {name: route.variable(name, given) for name, given in inputs.items()}
    targets = {
        name: variables(op_type, f"output `{name}`", given) for name, given in outputs.items()
    }
    for name in route.needed_outputs:
        if not targets.get(name):
            raise EnforceNotMet(f"{op_type}: the output `{name}` must be given.")
    if route.same:
        route.check_targets(values, {name: given[0] for name, given in targets.items() if given})
    if stop_gradient:
        with torch.no_grad():
            results = route.call(values, attrs)
    else:
        results = route.call(values, attrs)
    for name, given in targets.items():
        if name in results:
            _write_all(op_type, name, results[name], given)


def _checked(op_type: Any, *tables: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(op_type, str):
        raise TypeError(f"`type` must be the name of an operator, but received {op_type!r}.")
    for name, table in zip(("inputs", "outputs", "attrs"), tables, strict=True):
        if table is None:
            continue
        if not isinstance(table, dict) or not _are_names(table):
            raise TypeError(
                f"{op_type}: `{name}` must be a dict by names, but received {describe(table)}."
            )
    return tuple({} if table is None else table for table in tables)


def _are_names(keys: Iterable[Any]) -> bool:
    # a loop, which for one or two keys is faster than all()
    for key in keys:
        if not isinstance(key, str):
            return False
    return True


def _write_all(op_type: str, name: str, made: Any, targets: Sequence[torch.Tensor]) -> None:
    if isinstance(made, torch.Tensor):
        write(made, targets[0])
        return
    if len(made) != len(targets):
        raise EnforceNotMet(
            f"{op_type}: the output `{name}` has {len(made)} variables, but received "
            f"{len(targets)} to write them into."
        )
    for result, target in zip(made, targets, strict=True):
        write(result, target)


# --- core.ops -----------------------------------------------------------------------------------


def _function(op_type: str) -> Callable[..., Any]:
    """Return the function of `core.ops` of that name."""
    route = find(op_type)
    taken = [slot for slot in route.facts.inputs if slot.taken]
    filled = [slot for slot in route.facts.outputs if slot.taken]
    given = [slot for slot in route.facts.outputs if not slot.optional]
    counted = [slot for slot in given if slot.many and not slot.taken]
    fixed = len(taken) + len(filled) + len(counted)
    single = given[0].name if len(given) == 1 and not filled and not counted else None

    def call(*args: Any) -> Any:
        if len(args) < fixed:
            raise _arguments_wrong(route, args)
        values = {}
        for slot, value in zip(taken, args, strict=False):
            if isinstance(value, torch.Tensor):
                # a variable is a sequence too: of its rows
                values[slot.name] = list(value) if slot.many else value
            elif slot.many and _is_list(value):
                values[slot.name] = list(value)
            elif slot.many or value is not None:
                raise _arguments_wrong(route, args)
        attributes = _pairs(op_type, args[fixed:]) if len(args) > fixed else {}
        if single is not None:
            return route.call(values, attributes)[single]
        targets = dict(zip([s.name for s in filled], args[len(taken) : fixed], strict=False))
        route.check_targets(values, targets)
        results = route.call(values, attributes)
        counts = dict(zip([s.name for s in counted], args[fixed - len(counted) :], strict=False))
        made = [_output(route, s.name, results, targets, counts) for s in given]
        return made[0] if len(made) == 1 else tuple(made) if made else None

    call.__name__ = call.__qualname__ = op_type
    call.__module__ = "paddle.fluid.core_avx.ops"
    call.__doc__ = _signature(route)
    return call


def _output(
    route: Route,
    name: str,
    results: dict[str, Any],
    targets: dict[str, Any],
    counts: dict[str, Any],
) -> Any:
    if name in targets:
        target = targets[name]
        if not isinstance(target, torch.Tensor):
            raise EnforceNotMet(
                f"{route.op_type}: the output `{name}` must be a Variable to write to, but "
                f"received {describe(target)}."
            )
        return write(results[name], target)
    if name in counts:
        if len(results[name]) != counts[name]:
            raise EnforceNotMet(
                f"{route.op_type}: there are {len(results[name])} outputs `{name}`, but "
                f"{counts[name]!r} were asked for."
            )
        return results[name]
    return results[name] if name in results else blank()


def _is_list(value: Any) -> TypeGuard[Sequence[torch.Tensor]]:
    return isinstance(value, (list, tuple)) and all(isinstance(v, torch.Tensor) for v in value)


def _pairs(op_type: str, settings: Sequence[Any]) -> dict[str, Any]:
    if len(settings) % 2:
        raise EnforceNotMet(
            f"{op_type}: attributes must come in pairs of name and value, but received "
            f"{len(settings)} arguments behind the variables."
        )
    pairs = dict(zip(settings[::2], settings[1::2], strict=True))
    for name in pairs:
        if not isinstance(name, str):
            raise RuntimeError(f"{op_type}: an attribute's name must be a str, not {name!r}.")
    return pairs


def _signature(route: Route) -> str:
    parts = [
        f"{s.name}: {'List[VarBase]' if s.many else 'VarBase'}"
        for s in (*route.facts.inputs, *route.facts.outputs)
        if s.taken
    ]
    parts += [
        f"{s.name}Num: int"
        for s in route.facts.outputs
        if s.many and not s.taken and not s.optional
    ]
    return f"{route.op_type}({', '.join([*parts, '*attributes'])})"


def _arguments_wrong(route: Route, args: Sequence[Any]) -> TypeError:
    received = ", ".join(map(describe, args)) or "nothing"
    return TypeError(f"core.ops: expected {_signature(route)}, but received {received}.")


class _Ops(types.ModuleType):
    """`core.ops`: a function for each operator, made when it is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if facts_of(name) is None:
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        try:
            function = _function(name)
        except UnsupportedFluidAPI as error:
            raise UnsupportedFluidAttribute(*error.args) from None
        setattr(self, name, function)
        return function

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *names()})


ops = _Ops("paddle.fluid.core_avx.ops", "Paddle's operators as functions.")
