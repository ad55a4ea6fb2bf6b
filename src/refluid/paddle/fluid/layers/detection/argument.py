"""Checks of arguments that operators of detection share, and what they note about batches.

In Paddle a variable can know at which rows each image begins and ends (its "LoD"). Operators that
find another number of boxes in each image note it on their results, where `roi_align` and
`roi_pool` look for it, and nothing else does.
May import: torch, core_avx.
"""

from __future__ import annotations

import functools
from array import array
from collections.abc import Sequence
from typing import Any, NoReturn

from torch import Tensor

from refluid.paddle.fluid.core_avx.error import EnforceNotMet
from refluid.paddle.fluid.core_avx.operator import describe

__all__ = [
    "note_images",
    "noted_images",
    "real",
    "reals",
    "rounded",
    "sizes_of",
    "whole",
]


def sizes_of(op_type: str, **given: tuple[Tensor, str]) -> dict[str, int]:
    """Check shapes against patterns such as "N M 4" and return the sizes by their letters.

    Args:
        op_type: the operator, for messages.
        **given: each variable and its pattern: a number is that size, a letter one size in all.

    Raises:
        EnforceNotMet: a variable has another shape.
    """
    sizes: dict[str, int] = {}
    for name, (tensor, pattern) in given.items():
        dims, shape = _dims(pattern), tensor.size()
        fits = len(dims) == len(shape)
        for dim, size in zip(dims, shape, strict=False):
            wanted = sizes.setdefault(dim, size) if isinstance(dim, str) else dim
            fits = fits and wanted == size
        if not fits:
            _refuse_shape(op_type, name, given)
    return sizes


@functools.lru_cache(maxsize=128)
def _dims(pattern: str) -> tuple[str | int, ...]:
    return tuple(int(dim) if dim.isdigit() else dim for dim in pattern.split())


def _refuse_shape(op_type: str, wrong: str, given: dict[str, tuple[Tensor, str]]) -> NoReturn:
    """Raise that a variable does not fit its pattern, or the sizes of those before it."""
    before: dict[str, str] = {}
    for name, (tensor, pattern) in given.items():
        if name == wrong:
            break
        for dim, size in zip(pattern.split(), tensor.size(), strict=True):
            if not dim.isdigit():
                before.setdefault(dim, f"{dim} = {size} as in `{name}`")
    tensor, pattern = given[wrong]
    dims = pattern.split()
    where = ", ".join(before[dim] for dim in dict.fromkeys(dims) if dim in before)
    raise EnforceNotMet(
        f"{op_type}: `{wrong}` must have shape [{', '.join(dims)}]"
        f"{' where ' + where if where else ''}, but received {describe(tensor)}."
    )


def whole(op_type: str, name: str, value: Any) -> int:
    """Return a setting that is an int.

    Raises:
        EnforceNotMet: it is something else.
    """
    if type(value) is int:
        return value
    if isinstance(value, Tensor) or not hasattr(value, "__index__"):
        raise EnforceNotMet(f"{op_type}: `{name}` must be an int, but received {value!r}.")
    return int(value)


def real(op_type: str, name: str, value: Any) -> float:
    """Return a setting that is a number, as Paddle keeps it: rounded to 32 bits.

    Raises:
        EnforceNotMet: it is something else.
    """
    return reals(op_type, name, [value])[0]


def reals(op_type: str, name: str, values: Any, count: int | None = None) -> list[float]:
    """Return numbers, as Paddle keeps them: rounded to 32 bits.

    Raises:
        EnforceNotMet: they are something else, or not `count` of them.
    """
    numbers = isinstance(values, (list, tuple)) and (
        set(map(type, values)) <= {int, float}
        or all(hasattr(v, "__float__") and not isinstance(v, Tensor) for v in values)
    )
    if not numbers or (count is not None and len(values) != count):
        raise EnforceNotMet(
            f"{op_type}: `{name}` must be {'' if count is None else f'{count} '}numbers, but "
            f"received {values!r}."
        )
    return array("f", values).tolist()


def rounded(values: Sequence[float]) -> list[float]:
    """Return numbers rounded to 32 bits."""
    return array("f", values).tolist()


def note_images(boxes: Tensor, counts: Tensor) -> Tensor:
    """Note on a result how many of its rows each image has, and return it."""
    starts = [0, *counts.cumsum(0).tolist()]
    boxes._lod = [starts]  # type: ignore[attr-defined]
    return boxes


def noted_images(boxes: Any) -> list[int] | None:
    """Return at which rows the images begin and the last one ends, None if that is not known."""
    lod = getattr(boxes, "_lod", None)
    return lod[-1] if lod else None
