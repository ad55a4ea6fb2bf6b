"""Settings of operators: which Python values Paddle takes for each kind of attribute.

Kinds: b bool, i int, l 64-bit int, f float, s text; B, I, L, F, S lists of them. As in Paddle an
int or bool passes for a float, 0 and 1 for a bool, a bool for an int; a float does not pass for
an int, nor a text for anything but a text. May import: numpy, core_avx.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from refluid.paddle.fluid.core_avx.error import EnforceNotMet

__all__ = ["EXACT", "convert"]

# the Python type whose values need no conversion
EXACT = {"b": bool, "i": int, "l": int, "f": float, "s": str}

_MEANINGS = {"b": "a bool", "i": "an int", "l": "an int", "f": "a float", "s": "a str"}


def _whole(value: Any) -> int:
    # a float has no __index__
    return int(value.__index__())


def _real(value: Any) -> float:
    if isinstance(value, (str, torch.Tensor)):
        raise TypeError
    return float(value)


def _truth(value: Any) -> bool:
    if value is None:
        return False
    return bool(_real(value))


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if not isinstance(value, str):
        raise TypeError
    return value


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "b": _truth,
    "i": _whole,
    "l": _whole,
    "f": _real,
    "s": _text,
}


def convert(op_type: str, name: str, kind: str, value: Any) -> Any:
    """Return the value of an attribute as its kind.

    Args:
        op_type: the operator, for messages.
        name: the attribute.
        kind: a letter; see above.
        value: what the program gave.

    Raises:
        EnforceNotMet: it is of another kind.
    """
    single = kind.lower()
    change = _CONVERSIONS.get(single)
    if change is None:
        return value
    try:
        if kind == single:
            return change(value)
        if isinstance(value, (str, bytes, dict)) or isinstance(value, torch.Tensor):
            raise TypeError
        return [change(entry) for entry in value]
    except (TypeError, ValueError, AttributeError):
        meaning = _MEANINGS[single] if kind == single else f"a list, each entry {_MEANINGS[single]}"
        raise EnforceNotMet(
            f"{op_type}: the attribute `{name}` must be {meaning}, but received {value!r}."
        ) from None
