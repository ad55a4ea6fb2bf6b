"""The one door through which every fluid operator is called.

An operator is a small typed function on plain tensors: inside it, `x.shape`, `x.dtype`, `x * y` and
`x[mask]` mean what they mean in torch. `@operator` gives it what all of them share: which arguments
are variables and of which element types, the ends of the graph at `stop_gradient`, Paddle's error
classes, results as `VarBase`.

    @operator("relu", x=FLOAT)
    def relu(x, name=None):
        return torch.relu(x)

Arguments of one kind must have one element type: `@operator("elementwise_add", x=NUMBER, y=NUMBER)`
refuses float32 + float64, as Paddle does and torch does not. `OPERATORS` holds every operator
under Paddle's operator name.

May import: torch, dtype, error, variable.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, ParamSpec

import torch
from torch import Tensor

from refluid.paddle.fluid.core_avx.dtype import to_numpy_dtype
from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.variable import plain, wrap

__all__ = [
    "ANY",
    "BOOL",
    "FLOAT",
    "INT64",
    "INTEGER",
    "NUMBER",
    "OPERATORS",
    "describe",
    "many",
    "operator",
    "optional",
]

_dtype = torch.Tensor.dtype.__get__  # type: ignore[attr-defined]
_shape = torch.Tensor.shape.__get__  # type: ignore[attr-defined]
_Arguments = ParamSpec("_Arguments")
# the first variable of each kind: its element type, its name, itself
_First = dict[frozenset[torch.dtype], tuple[torch.dtype, str, Tensor]]
# an argument that is a variable: its position, name and kind
_Slot = tuple[int, str, "Kind"]
# the same for `_usual`: its position and name, whether it may be absent, its element types
_QuickSlot = tuple[int, str, bool, frozenset[torch.dtype]]


@dataclass(frozen=True)
class Kind:
    """The element types that an argument may have, and whether it may be absent or a list."""

    dtypes: frozenset[torch.dtype]
    optional: bool = False
    many: bool = False

    @functools.cached_property
    def single(self) -> Kind:
        """The kind of each variable in a list."""
        return Kind(self.dtypes)


_FLOATS = frozenset({torch.float16, torch.float32, torch.float64})
_INTEGERS = frozenset({torch.int32, torch.int64})
_SMALL = frozenset({torch.int8, torch.uint8, torch.int16})

FLOAT = Kind(_FLOATS)
INTEGER = Kind(_INTEGERS)
INT64 = Kind(frozenset({torch.int64}))
BOOL = Kind(frozenset({torch.bool}))
NUMBER = Kind(_FLOATS | _INTEGERS | _SMALL)
ANY = Kind(_FLOATS | _INTEGERS | _SMALL | {torch.bool})

OPERATORS: dict[str, Callable[..., Any]] = {}


def optional(kind: Kind) -> Kind:
    """Return `kind` for an argument that may be None."""
    return Kind(kind.dtypes, optional=True, many=kind.many)


def many(kind: Kind) -> Kind:
    """Return `kind` for an argument that is a list or tuple of variables, or one variable."""
    return Kind(kind.dtypes, optional=kind.optional, many=True)


def describe(value: Any) -> str:
    """Return what a value is, for an error message: element type and shape, or its class."""
    if isinstance(value, torch.Tensor):
        return f"{to_numpy_dtype(_dtype(value))} {list(_shape(value))}"
    if _is_list_of_tensors(value):
        return f"{type(value).__name__} of {', '.join(describe(v) for v in value)}"
    cls = type(value)
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"


def operator(
    op_type: str, *, view: bool = False, direct: bool = False, **kinds: Kind
) -> Callable[[Callable[_Arguments, Any]], Callable[_Arguments, Any]]:
    """Make a function on plain tensors a fluid operator.

    The operator has its `kinds` as an attribute, for whoever lists or tests operators.

    Args:
        op_type: Paddle's operator name, under which it stands in `OPERATORS`.
        view: the result shares the first variable's memory; it is copied where the first variable
            is a leaf, which may be written in place later.
        direct: the function gets the variables themselves, which spares an object and a node of
            the graph for each. It may only hand them to torch functions and ask for their `dim()`
            and `size()`, since all else is Paddle's, and what it returns must be new.
        **kinds: the Kind of each argument that is a variable. Those of one kind share one dtype.

    Raises:
        TypeError: (when called) an argument is not a variable.
        EnforceNotMet: (when called) an argument has another element type, or the shapes or values
            do not fit.
    """

    def decorate(function: Callable[_Arguments, Any]) -> Callable[_Arguments, Any]:
        names = list(inspect.signature(function).parameters)
        slots = [(names.index(name), name, kind) for name, kind in kinds.items()]
        take = _dense if direct else plain
        quick = direct and not any(kind.many for kind in kinds.values())
        quick_slots = _by_kind(slots)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            # torch otherwise looks for `__torch_function__` whenever it is handed a subclass of
            # Tensor or asked about one, which takes longer than the question
            with torch._C.DisableTorchFunctionSubclass():
                given: Sequence[Any] = args
                if not (quick and _usual(quick_slots, args, kwargs)):
                    given = _admit_all(op_type, slots, args, kwargs, take)
                try:
                    result = function(*given, **kwargs)  # type: ignore[arg-type]
                except (RuntimeError, IndexError, OverflowError) as error:
                    _refuse(op_type, names, given, kwargs, error)
                if view and _first_variable(args, kwargs).is_leaf:
                    result = _map(torch.clone, result)
                return wrap(result) if type(result) is Tensor else _map(wrap, result)

        call.kinds = kinds  # type: ignore[attr-defined]
        OPERATORS[op_type] = call
        return call

    return decorate


def _by_kind(slots: list[_Slot]) -> list[_QuickSlot]:
    """Return the slots in such an order that those of one kind follow each other."""
    groups: dict[frozenset[torch.dtype], list[tuple[int, str, bool]]] = {}
    for index, name, kind in slots:
        groups.setdefault(kind.dtypes, []).append((index, name, kind.optional))
    return [(*slot, dtypes) for dtypes, group in groups.items() for slot in group]


def _usual(slots: list[_QuickSlot], args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Whether nothing is to be said or done about the variables, which is so for most calls."""
    num_given = len(args)
    kind = first = None
    try:
        for index, name, may_be_absent, dtypes in slots:
            if index >= num_given:
                if name in kwargs:
                    return False
                continue
            value = args[index]
            if value is None:
                if may_be_absent:
                    continue
                return False
            dtype = value._element_type
            if dtypes is not kind:
                kind, first = dtypes, None
            if dtype is not first:
                if first is not None or dtype not in dtypes:
                    return False
                first = dtype
            if value._cut or value.is_sparse:
                return False
    except AttributeError:  # no variable
        return False
    return True


def _admit_all(
    op_type: str,
    slots: list[_Slot],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    take: Callable[[Any], Tensor],
) -> list[Any]:
    """Check the variables; put them, as `take` gives them, into a copy of `args` and `kwargs`."""
    given, num_given = list(args), len(args)
    first: _First = {}
    for index, name, kind in slots:
        if index < num_given:
            given[index] = _admit(op_type, name, given[index], kind, first, take)
        elif name in kwargs:
            kwargs[name] = _admit(op_type, name, kwargs[name], kind, first, take)
    return given


def _admit(
    op_type: str, name: str, value: Any, kind: Kind, first: _First, take: Callable[[Any], Tensor]
) -> Any:
    """Check one argument against its kind and return it as `take` gives it."""
    if isinstance(value, Tensor):
        dtype, dtypes = _dtype(value), kind.dtypes
        if dtype in dtypes and first.setdefault(dtypes, (dtype, name, value))[0] is dtype:
            return take(value)
        _refuse_dtype(op_type, name, value, kind, first)
    if value is None and kind.optional:
        return None
    if kind.many and isinstance(value, (list, tuple)):
        single, entries = kind.single, enumerate(value)
        return [_admit(op_type, f"{name}[{k}]", v, single, first, take) for k, v in entries]
    raise TypeError(
        f"{op_type}: `{name}` must be a Variable{' or a list of them' if kind.many else ''}, but "
        f"received {describe(value)}; make one with fluid.dygraph.to_variable(numpy_array)."
    )


def _dense(tensor: Tensor) -> Tensor:
    """Return a variable itself, or its values alone if the graph ends at it."""
    if getattr(tensor, "_cut", False) or tensor.is_sparse:
        return plain(tensor)  # refuses what is sparse
    return tensor


def _refuse_dtype(op_type: str, name: str, value: Any, kind: Kind, first: _First) -> NoReturn:
    """Raise that a variable has an element type of its own."""
    if _dtype(value) not in kind.dtypes:
        expected = ", ".join(sorted(str(to_numpy_dtype(d)) for d in kind.dtypes))
        raise EnforceNotMet(
            f"{op_type}: `{name}` must be of {expected}, but received {describe(value)}; "
            "convert it with astype or fluid.layers.cast."
        )
    _, before, other = first[kind.dtypes]
    raise EnforceNotMet(
        f"{op_type}: `{before}` and `{name}` must have one element type, but received "
        f"{describe(other)} and {describe(value)}; convert one with astype."
    )


def _refuse(
    op_type: str, names: list[str], args: Sequence[Any], kwargs: dict[str, Any], error: Exception
) -> NoReturn:
    """Raise what torch complained about as Paddle's error, with every variable's shape."""
    given = dict(zip(names, args, strict=False)) | kwargs
    variables = [
        f"`{name}` {describe(value)}"
        for name, value in given.items()
        if isinstance(value, torch.Tensor) or _is_list_of_tensors(value)
    ]
    reason = str(error).split("\n", 1)[0].rstrip(".")
    raise EnforceNotMet(f"{op_type}: {reason}. Received {', '.join(variables)}.") from None


def _is_list_of_tensors(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(v, torch.Tensor) for v in value)


def _first_variable(args: Sequence[Any], kwargs: dict[str, Any]) -> Tensor:
    return next(value for value in (*args, *kwargs.values()) if isinstance(value, Tensor))


def _map(change: Callable[[torch.Tensor], Any], result: Any) -> Any:
    if isinstance(result, torch.Tensor):
        return change(result)
    if isinstance(result, (list, tuple)):
        return type(result)([_map(change, r) for r in result])
    return result
