"""Arguments as numbers and arrays, or an error that names them.

Scripts give what they have: numbers of Python, NumPy and torch, variables of fluid, lists. None of
these libraries but NumPy is imported; what can detach itself and move to the CPU is asked to.
May import: nothing of refluid.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

__all__ = ["array", "bytes_of_tag", "milliseconds", "number", "whole"]

_LARGEST = 1 << 63


def bytes_of_tag(tag: str, name: str = "tag") -> bytes:
    """Return a tag in UTF-8.

    Raises:
        TypeError: it is not a string.
        ValueError: it is empty, or has a `%`, by which VisualDL's viewer means a slash.
    """
    if not isinstance(tag, str):
        raise TypeError(f"`{name}` must be a string, but is {_described(tag)}.")
    if not tag or "%" in tag:
        raise ValueError(f"`{name}` must have a character and no %, but is {tag!r}: rename it.")
    return tag.encode("utf-8", "replace")


def number(value: Any, name: str) -> float:
    """Return one number; an array or a tensor that holds one is one.

    Raises:
        TypeError: it is not a number.
    """
    if type(value) is float:
        return value
    try:
        item = getattr(value, "item", None)
        return float(value if item is None else item())
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"`{name}` must be one number, but is {_described(value)}: give its mean, or one "
            "number of it."
        ) from None


def whole(value: Any, name: str) -> int:
    """Return one integer of 64 bits; an array or a tensor that holds one is one.

    Raises:
        TypeError: it is not an integer.
        ValueError: it does not fit.
    """
    if type(value) is int and -_LARGEST <= value < _LARGEST:
        return value
    try:
        item = getattr(value, "item", None)
        found = operator.index(value if item is None else item())
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"`{name}` must be one integer, but is {_described(value)}.") from None
    if not -_LARGEST <= found < _LARGEST:
        raise ValueError(f"`{name}` must fit into 64 bits, but is {found}.")
    return found


def milliseconds(walltime: Any) -> int:
    """Return a time in whole milliseconds.

    Raises:
        TypeError: it is not a number.
        ValueError: it is not finite.
    """
    if isinstance(walltime, int):
        return whole(walltime, "walltime")
    found = number(walltime, "walltime")
    if not -_LARGEST <= found < _LARGEST:
        raise ValueError(f"`walltime` must be a time in milliseconds, but is {found}.")
    return int(found)


def array(value: Any, name: str) -> np.ndarray:
    """Return the numbers of an array, a tensor or a list, on the CPU.

    Raises:
        TypeError: they are not numbers.
        ValueError: lists of it have different lengths.
    """
    for step in ("detach", "cpu"):
        value = getattr(value, step, lambda value=value: value)()
    try:
        found = np.asarray(value)
    except (TypeError, RuntimeError):
        # NumPy has no bfloat16; every number of it is a float32
        found = np.asarray(value.float()) if hasattr(value, "float") else np.asarray(None)
    except ValueError:
        raise ValueError(f"`{name}` must have rows of one length.") from None
    if found.dtype.kind not in "biuf":
        raise TypeError(f"`{name}` must hold numbers, but is {_described(value)}.")
    return found


def _described(value: Any) -> str:
    shape = getattr(value, "shape", None)
    text = f"a {type(value).__name__}" if shape is None else f"of shape {list(shape)}"
    return text if shape is not None or len(repr(value)) > 60 else f"{text}, {value!r}"
