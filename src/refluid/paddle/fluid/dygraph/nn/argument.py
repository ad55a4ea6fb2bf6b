"""Checks of layer arguments that several layers share. May import: nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["check_use_cudnn", "one_of", "per_axis", "positive", "positive_per_axis"]


def positive(value: int, name: str) -> int:
    """Return a size as an int.

    Raises:
        TypeError: it is no int.
        ValueError: it is not above 0.
    """
    if not hasattr(value, "__index__"):
        raise TypeError(f"`{name}` must be an int, but received {value!r}.")
    if value < 1:
        raise ValueError(f"`{name}` must be above 0, but received {value!r}.")
    return int(value)


def per_axis(value: int | Sequence[int], num_axes: int, name: str) -> list[int]:
    """Return one int for each axis, from one number or a list of them.

    Raises:
        ValueError: it is neither an int nor a list of `num_axes` ints.
    """
    if type(value) is int:
        return [value] * num_axes
    given = list(value) if isinstance(value, (list, tuple)) else [value] * num_axes
    if len(given) != num_axes or not all(hasattr(v, "__index__") for v in given):
        raise ValueError(
            f"`{name}` must be an int or a list of {num_axes} ints, but received {value!r}."
        )
    return [int(v) for v in given]  # type: ignore[arg-type]


def positive_per_axis(value: int | Sequence[int], num_axes: int, name: str) -> list[int]:
    """Return one int above 0 for each axis.

    Raises:
        ValueError: it is neither such an int nor a list of `num_axes` of them.
    """
    sizes = per_axis(value, num_axes, name)
    if min(sizes) < 1:
        raise ValueError(f"`{name}` must be above 0, but received {value!r}.")
    return sizes


def one_of(value: Any, choices: Sequence[str], name: str) -> Any:
    """Return `value` if it is one of the choices.

    Raises:
        ValueError: it is not.
    """
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"`{name}` must be one of {listed}, but received {value!r}.")
    return value


def check_use_cudnn(use_cudnn: bool) -> bool:
    """Return `use_cudnn`, which has no effect.

    Raises:
        ValueError: it is not a bool.
    """
    if not isinstance(use_cudnn, bool):
        raise ValueError(f"`use_cudnn` must be True or False, but received {use_cudnn!r}.")
    return use_cudnn
