"""What `a + b`, `a > 1` and `a[0, 1:3]` compute, on plain tensors and with Paddle's rules.

Numbers take the variable's element type (a fraction with an integer variable is refused), whole
numbers divide towards zero, two variables must have one element type, and what would be a single
number has shape [1]. May import: torch, numpy, dtype, error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from refluid.paddle.fluid.core_avx.dtype import to_numpy_dtype
from refluid.paddle.fluid.core_avx.error import EnforceNotMet

__all__ = ["METHODS", "combine", "part"]

_dtype = torch.Tensor.dtype.__get__  # type: ignore[attr-defined]
_shape = torch.Tensor.shape.__get__  # type: ignore[attr-defined]


def _divide(x: Any, y: Any) -> torch.Tensor:
    tensor = x if isinstance(x, torch.Tensor) else y
    if not tensor.is_floating_point():
        return torch.div(torch.as_tensor(x), y, rounding_mode="trunc")
    if not isinstance(y, torch.Tensor) and y:
        # Paddle multiplies by the reciprocal of a number
        return torch.mul(x, 1.0 / y)
    return torch.div(x, y)


def _floor_divide(x: Any, y: Any) -> torch.Tensor:
    if x.is_floating_point():
        raise EnforceNotMet("elementwise_floordiv: `//` works on integer variables only.")
    return torch.div(x, y, rounding_mode="trunc")


def _power(x: Any, y: Any) -> torch.Tensor:
    tensor = x if isinstance(x, torch.Tensor) else y
    if tensor.is_floating_point():
        return torch.pow(x, y)
    # torch refuses negative exponents of integers; Paddle truncates the power
    power = torch.pow(torch.as_tensor(x, dtype=torch.float64), torch.as_tensor(y))
    return power.to(_dtype(tensor))


# method of a variable -> (its sign, what it computes, whether the variable is on the right)
METHODS: dict[str, tuple[str, Callable[[Any, Any], torch.Tensor], bool]] = {
    "__add__": ("+", torch.add, False),
    "__radd__": ("+", torch.add, False),
    "__sub__": ("-", torch.sub, False),
    "__rsub__": ("-", torch.rsub, False),
    "__mul__": ("*", torch.mul, False),
    "__rmul__": ("*", torch.mul, False),
    "__truediv__": ("/", _divide, False),
    "__rtruediv__": ("/", _divide, True),
    "__floordiv__": ("//", _floor_divide, False),
    "__mod__": ("%", torch.fmod, False),
    "__pow__": ("**", _power, False),
    "__rpow__": ("**", _power, True),
    "__eq__": ("==", torch.eq, False),
    "__ne__": ("!=", torch.ne, False),
    "__lt__": ("<", torch.lt, False),
    "__le__": ("<=", torch.le, False),
    "__gt__": (">", torch.gt, False),
    "__ge__": (">=", torch.ge, False),
}


def combine(method: str, x: torch.Tensor, other: Any) -> torch.Tensor:
    """Return what `method` of `x` gives for `other`.

    Args:
        method: a name of `METHODS`.
        x: the variable.
        other: a variable of its element type, or a number.

    Raises:
        TypeError: two variables of different element types, or a variable that is compared or
            combined with something that is not a number.
        AssertionError: a fraction with an integer variable.
        EnforceNotMet: an array, or shapes that cannot be broadcast.
    """
    sign, compute, reverse = METHODS[method]
    if _dtype(x) is torch.bool and sign in "+-**//%":
        raise EnforceNotMet(f"`{sign}`: convert the bool Variable first, as in x.astype('int64').")
    if isinstance(other, torch.Tensor):
        if _dtype(other) is not _dtype(x):
            raise TypeError(
                f"`{sign}`: both variables must have one element type, but they are "
                f"{to_numpy_dtype(_dtype(x))} and {to_numpy_dtype(_dtype(other))}; convert one "
                "with astype."
            )
    else:
        other = _number(sign, x, other, method)
    try:
        return compute(other, x) if reverse else compute(x, other)
    except RuntimeError as error:
        raise EnforceNotMet(
            f"`{sign}`: {str(error).rstrip('.')}. Received {to_numpy_dtype(_dtype(x))} "
            f"{list(_shape(x))} and {_text(other)}."
        ) from None


def _number(sign: str, x: torch.Tensor, other: Any, method: str) -> float | int:
    """Return `other` as a number that torch keeps in the element type of `x`."""
    if isinstance(other, np.ndarray):
        if other.ndim:
            # Paddle's own classes: NumPy's operators end in an AttributeError there
            cls = AttributeError if method.startswith("__r") else EnforceNotMet
            raise cls(
                f"`{sign}`: a Variable cannot be combined with a numpy.ndarray of shape "
                f"{list(other.shape)}; wrap it with fluid.dygraph.to_variable."
            )
        other = other[()]
    if not isinstance(other, (int, float, np.number, np.bool_)):
        raise EnforceNotMet(
            f"`{sign}`: a Variable is combined with a Variable or a number, but received "
            f"{type(other).__name__}."
        )
    if x.is_floating_point():
        return float(other)
    # only these three: Paddle cuts the fraction off a divisor, an exponent, what is compared with
    if sign in "+-*" and isinstance(other, float) and other != int(other):
        raise AssertionError(
            f"`{sign}`: {other} cannot be combined with an integer variable; convert the variable "
            "with astype('float32')."
        )
    return int(other)


def _text(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"{to_numpy_dtype(_dtype(value))} {list(_shape(value))}"
    return str(value)


def part(x: torch.Tensor, index: Any) -> torch.Tensor:
    """Return `x[index]`; a single number comes with shape [1].

    Args:
        x: any shape.
        index: an int or slice, or a tuple of them, for the first dimensions; steps may be negative.

    Raises:
        EnforceNotMet: the index is anything else, has too many entries, or selects nothing.
        IndexError: an int is out of range.
    """
    items = index if isinstance(index, tuple) else (index,)
    for item in items:
        if isinstance(item, bool) or not isinstance(item, (int, np.integer, slice)):
            raise EnforceNotMet(
                "a Variable is indexed by ints and slices, but received "
                f"{type(item).__name__}; use fluid.layers.gather for anything else."
            )
    if len(items) > x.dim():
        raise EnforceNotMet(f"{len(items)} indices for a Variable of shape {list(_shape(x))}.")
    flips: list[int] = []
    plain: list[int | slice] = []
    for item, size in zip(items, _shape(x), strict=False):
        if isinstance(item, slice):
            start, stop, step = item.indices(size)
            span = range(start, stop, step)
            if not span:
                raise EnforceNotMet(f"{item} selects nothing of a dimension of {size}.")
            if step < 0:
                # torch has no negative steps: take the same elements forwards, then turn them
                flips.append(len([p for p in plain if isinstance(p, slice)]))
                start, stop, step = span[-1], span[0] + 1, -step
            plain.append(slice(start, stop, step))
        else:
            plain.append(int(item))
    result = torch.Tensor.__getitem__(x, tuple(plain))
    if flips:
        result = torch.flip(result, flips)
    return result.reshape(1) if result.dim() == 0 else result
