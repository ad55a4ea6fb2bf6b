"""Text, bytes and numbers as Python 2 and 3 once differed in them; old readers use these.

May import: the standard library only.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

__all__ = [
    "floor_division",
    "get_exception_message",
    "long_type",
    "round",
    "to_bytes",
    "to_text",
]

int_type = int
long_type = int


def to_text(obj: Any, encoding: str = "utf-8", inplace: bool = False) -> Any:
    """Decode bytes, alone or in a list, set or dictionary. Same as Paddle 1.8.

    Args:
        obj: bytes, text, or a list, set or dict of them; anything else comes back unchanged.
        encoding: of the bytes.
        inplace: change the given list, set or dict instead of making a new one.

    Returns:
        `obj` with text in place of bytes.
    """
    change = functools.partial(_decode, encoding)
    if isinstance(obj, dict):
        return _put(obj, {change(key): change(value) for key, value in obj.items()}, inplace)
    return _convert(obj, change, inplace)


def to_bytes(obj: Any, encoding: str = "utf-8", inplace: bool = False) -> Any:
    """Encode text, alone or in a list or set.

    Differs from Paddle: numbers come back unchanged; in Paddle they are an AttributeError.

    Args:
        obj: text, bytes, or a list or set of them; anything else comes back unchanged.
        encoding: of the bytes.
        inplace: change the given list or set instead of making a new one.

    Returns:
        `obj` with bytes in place of text.
    """
    return _convert(obj, functools.partial(_encode, encoding), inplace)


def _decode(encoding: str, obj: Any) -> Any:
    return obj.decode(encoding) if isinstance(obj, bytes) else obj


def _encode(encoding: str, obj: Any) -> Any:
    return obj.encode(encoding) if isinstance(obj, str) else obj


def _convert(obj: Any, change: Callable[[Any], Any], inplace: bool) -> Any:
    if isinstance(obj, list):
        new = [change(item) for item in obj]
        if inplace:
            obj[:] = new
        return obj if inplace else new
    if isinstance(obj, set):
        return _put(obj, {change(item) for item in obj}, inplace)
    return change(obj)


def _put(old: Any, new: Any, inplace: bool) -> Any:
    """Return `new`, or `old` with the content of `new`."""
    if not inplace:
        return new
    old.clear()
    old.update(new)
    return old


def round(x: float, d: int = 0) -> float:
    """Round halves away from zero, as Python 2 did. Same as Paddle 1.8.

    Args:
        x: the number.
        d: how many digits to keep behind the point.
    """
    if not x:
        return math.copysign(0.0, x)
    scale = 10.0**d
    cut = math.floor if x > 0 else math.ceil
    return float(cut(x * scale + math.copysign(0.5, x))) / scale


def floor_division(x: Any, y: Any) -> Any:
    """Return `x // y`. Same as Paddle 1.8."""
    return x // y


def get_exception_message(exc: BaseException) -> str:
    """Return the text of an exception. Same as Paddle 1.8."""
    assert exc is not None, "`exc` must be an exception, but received None."
    return str(exc)
