"""Comparisons, counters, arrays of variables, and branches that run at once.

In the dynamic graph a condition is known when it is met, so `cond`, `case`, `switch_case` and
`while_loop` call the function that applies and return what it returns.
May import: torch, core_avx, layers.argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import ANY, NUMBER, describe, operator
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.layers.argument import number, write

__all__ = [
    "array_length",
    "array_read",
    "array_write",
    "case",
    "cond",
    "create_array",
    "equal",
    "greater_equal",
    "greater_than",
    "increment",
    "is_empty",
    "less_equal",
    "less_than",
    "not_equal",
    "switch_case",
    "while_loop",
]


@operator("equal", direct=True, x=ANY, y=ANY)
def equal(x: Tensor, y: Tensor, cond: Tensor | None = None) -> Tensor:
    """Return a bool for each element: x == y; it is written to `cond` too if given.

    Same as Paddle 1.8.
    """
    return write(torch.eq(x, y), cond)


@operator("not_equal", direct=True, x=ANY, y=ANY)
def not_equal(x: Tensor, y: Tensor, cond: Tensor | None = None) -> Tensor:
    """Return a bool for each element: x != y. Otherwise as `equal`."""
    return write(torch.ne(x, y), cond)


@operator("less_than", direct=True, x=ANY, y=ANY)
def less_than(
    x: Tensor, y: Tensor, force_cpu: bool | None = None, cond: Tensor | None = None
) -> Tensor:
    """Return a bool for each element: x < y. Otherwise as `equal`."""
    return write(torch.lt(x, y), cond)


@operator("less_equal", direct=True, x=ANY, y=ANY)
def less_equal(x: Tensor, y: Tensor, cond: Tensor | None = None) -> Tensor:
    """Return a bool for each element: x <= y. Otherwise as `equal`."""
    return write(torch.le(x, y), cond)


@operator("greater_than", direct=True, x=ANY, y=ANY)
def greater_than(x: Tensor, y: Tensor, cond: Tensor | None = None) -> Tensor:
    """Return a bool for each element: x > y. Otherwise as `equal`."""
    return write(torch.gt(x, y), cond)


@operator("greater_equal", direct=True, x=ANY, y=ANY)
def greater_equal(x: Tensor, y: Tensor, cond: Tensor | None = None) -> Tensor:
    """Return a bool for each element: x >= y. Otherwise as `equal`."""
    return write(torch.ge(x, y), cond)


@operator("is_empty", x=ANY)
def is_empty(x: Tensor, cond: Tensor | None = None) -> Tensor:
    """Return a bool [1]: whether x has no element. Same as Paddle 1.8."""
    return write(torch.tensor([x.numel() == 0], device=x.device), cond)


def increment(x: VarBase, value: float = 1.0, in_place: bool = True) -> VarBase:
    """Add a number to a variable of one element.

    Same as Paddle 1.8.

    Args:
        x: one element.
        value: the number; cut to a whole one for integers.
        in_place: change x itself and return it.
    """
    raised = _raised(x, value)
    if not in_place:
        return raised
    # .data: no gradient goes through a counter, and a leaf may be changed too
    x.data.copy_(raised.data)
    return x


@operator("increment", x=NUMBER)
def _raised(x: Tensor, value: float) -> Tensor:
    if x.numel() != 1:
        raise EnforceNotMet(
            f"increment: `x` must have one element, but received shape {list(x.size())}."
        )
    return x + (value if x.is_floating_point() else int(value))


# --- arrays of variables ------------------------------------------------------------------------


def create_array(dtype: Any) -> list[VarBase]:
    """Return an empty array of variables, a Python list. Same as Paddle 1.8."""
    return []


def _array(function: str, array: Any) -> list[VarBase]:
    assert isinstance(array, list), (
        f"{function}: `array` must be a list, but received {describe(array)}."
    )
    return array


def _place(function: str, i: Any) -> int:
    fits = isinstance(i, Tensor) and list(i.size()) == [1]
    assert fits, f"{function}: `i` must be a Variable of shape [1], but received {describe(i)}."
    return int(i.item())


def array_write(x: VarBase, i: VarBase, array: list[VarBase] | None = None) -> list[VarBase]:
    """Put a variable into an array, at most one place behind its end.

    Same as Paddle 1.8.

    Args:
        x: the variable.
        i: the place, shape [1].
        array: the array; by default a new one.

    Returns:
        The array.
    """
    assert isinstance(x, Tensor), f"array_write: `x` must be a Variable, not {describe(x)}."
    place = _place("array_write", i)
    array = [] if array is None else _array("array_write", array)
    assert place <= len(array), (
        f"array_write: `i` must not be above the length {len(array)} of `array`, but is {place}."
    )
    array[place : place + 1] = [x]
    return array


def array_read(array: list[VarBase], i: VarBase) -> VarBase:
    """Return the variable at place `i`, shape [1], of an array. Same as Paddle 1.8."""
    return _array("array_read", array)[_place("array_read", i)]


def array_length(array: list[VarBase]) -> int:
    """Return how many variables an array holds, as an int. Same as Paddle 1.8."""
    return len(_array("array_length", array))


# --- branches and loops -------------------------------------------------------------------------


def _check_function(name: str, argument: str, value: Any) -> None:
    if not callable(value):
        raise TypeError(f"{name}: `{argument}` must be a function, but received {describe(value)}.")


def cond(
    pred: VarBase,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """Call `true_fn` if `pred` is true, otherwise `false_fn`, and return what it returns.

    Same as Paddle 1.8.

    Args:
        pred: a Variable of one element.
        true_fn: a function without arguments; None returns None.
        false_fn: likewise.
        name: accepted for compatibility.
    """
    single = isinstance(pred, Tensor) and pred.numel() == 1
    assert single, f"cond: `pred` must be a Variable of one element, but is {describe(pred)}."
    chosen, argument = (true_fn, "true_fn") if number(pred) else (false_fn, "false_fn")
    if chosen is None:
        return None
    _check_function("cond", argument, chosen)
    return chosen()


def case(
    pred_fn_pairs: Sequence[tuple[VarBase, Callable[[], Any]]],
    default: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """Call the function whose condition is the first true one, and return what it returns.

    Same as Paddle 1.8.

    Args:
        pred_fn_pairs: pairs of a bool Variable and a function without arguments.
        default: called when no condition is true; by default the last function.
        name: accepted for compatibility.
    """
    if not isinstance(pred_fn_pairs, (list, tuple)) or not pred_fn_pairs:
        raise TypeError(
            f"case: `pred_fn_pairs` must be a list of pairs, but received {pred_fn_pairs!r}."
        )
    for pair in pred_fn_pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"case: `pred_fn_pairs` must hold pairs, but holds {pair!r}.")
        _check_function("case", "pred_fn_pairs", pair[1])
    if default is not None:
        _check_function("case", "default", default)
    for pred, function in pred_fn_pairs:
        if number(pred):
            return function()
    return (default or pred_fn_pairs[-1][1])()


def switch_case(
    branch_index: VarBase,
    branch_fns: dict[int, Callable[[], Any]] | Sequence[Any],
    default: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """Call the function numbered `branch_index`, and return what it returns.

    Same as Paddle 1.8.

    Args:
        branch_index: an integer Variable of one element.
        branch_fns: functions by number: a dictionary, a list of (number, function), or a list of
            functions numbered from 0.
        default: called for any other number; by default the function with the highest number.
        name: accepted for compatibility.
    """
    if isinstance(branch_fns, dict):
        functions = dict(branch_fns)
    elif isinstance(branch_fns, (list, tuple)) and branch_fns:
        numbered = all(isinstance(entry, tuple) for entry in branch_fns)
        functions = dict(branch_fns if numbered else enumerate(branch_fns))
    else:
        raise TypeError(
            f"switch_case: `branch_fns` must be a dict or a list, but received {branch_fns!r}."
        )
    for key, function in functions.items():
        if not isinstance(key, int):
            raise TypeError(f"switch_case: `branch_fns` must be numbered by ints, not {key!r}.")
        _check_function("switch_case", "branch_fns", function)
    if default is not None:
        _check_function("switch_case", "default", default)
    return functions.get(int(number(branch_index)), default or functions[max(functions)])()


def while_loop(
    cond: Callable[..., VarBase],
    body: Callable[..., Any],
    loop_vars: Sequence[Any],
    is_test: bool = False,
    name: str | None = None,
) -> Any:
    """Call `body` with the loop's variables, and go on with what it returns, while `cond` holds.

    Same as Paddle 1.8.

    Args:
        cond: takes the variables and returns a bool Variable of one element.
        body: takes the variables and returns as many.
        loop_vars: what to start from.
        is_test: accepted for compatibility.
        name: accepted for compatibility.

    Returns:
        The variables at the end.

    Raises:
        TypeError: `cond` or `body` is no function, or `loop_vars` no list.
        ValueError: `loop_vars` is empty, or `body` returns another number of variables.
    """
    _check_function("while_loop", "cond", cond)
    _check_function("while_loop", "body", body)
    if not isinstance(loop_vars, (list, tuple)):
        raise TypeError(f"while_loop: `loop_vars` must be a list, but received {loop_vars!r}.")
    if not loop_vars:
        raise ValueError("while_loop: `loop_vars` must not be empty.")
    values = list(loop_vars)
    while number(cond(*values)):
        result = body(*values)
        result = list(result) if isinstance(result, (list, tuple)) else [result]
        if len(result) != len(values):
            raise ValueError(
                f"while_loop: `body` must return {len(values)} variables, as many as `loop_vars`, "
                f"but returned {len(result)}."
            )
        values = result
    return values
