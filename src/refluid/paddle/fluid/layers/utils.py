"""Nested structures of variables: lists, tuples, named tuples and dictionaries inside one another.

Cells and decoders hand their states on as such structures. A dictionary's values count in the order
of its sorted keys; a string counts as one value, not as a sequence.
Here under Paddle's own path, from which old programs import it. May import: the standard library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

__all__ = [
    "assert_same_structure",
    "convert_to_list",
    "flatten",
    "is_sequence",
    "map_structure",
    "pack_sequence_as",
]


def is_sequence(seq: Any) -> bool:
    """Tell whether `seq` is a list, tuple or dictionary, or another sequence but no string.

    Same as Paddle 1.8.
    """
    return isinstance(seq, (dict, Sequence)) and not isinstance(seq, str)


def flatten(nest: Any) -> list[Any]:
    """Return the single values of a structure in order. Same as Paddle 1.8."""
    return list(_leaves(nest))


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """Return values put into the shape of a structure, the opposite of `flatten`.

    Same as Paddle 1.8.

    Args:
        structure: what the result shall look like.
        flat_sequence: as many values as the structure has.

    Raises:
        TypeError: `flat_sequence` is no sequence.
        ValueError: it holds another number of values.
    """
    if not is_sequence(flat_sequence):
        raise TypeError(
            "pack_sequence_as: `flat_sequence` must be a list or tuple, but received "
            f"{type(flat_sequence).__name__}."
        )
    wanted = len(flatten(structure))
    if wanted != len(flat_sequence):
        raise ValueError(
            f"pack_sequence_as: `structure` has {wanted} values, but `flat_sequence` holds "
            f"{len(flat_sequence)}."
        )
    return _pack(structure, iter(flat_sequence))


def map_structure(func: Callable[..., Any], *structure: Any) -> Any:
    """Call `func` with each value, and return the results in the shape of the first structure.

    Same as Paddle 1.8.

    Args:
        func: takes one value of each structure.
        *structure: structures that hold equally many values.

    Raises:
        ValueError: a later structure holds fewer values than the first.
    """
    values = [flatten(nest) for nest in structure]
    # without `strict`: pack_sequence_as tells of missing values
    return pack_sequence_as(structure[0], [func(*each) for each in zip(*values, strict=False)])


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True) -> None:
    """Raise unless two structures are nested alike. Same as Paddle 1.8.

    Args:
        nest1: a structure.
        nest2: another one.
        check_types: the sequences must also be of the same types, with the same keys.

    Raises:
        ValueError: they are nested differently, or hold another number of values.
        TypeError: with `check_types`, their types differ.
    """
    counts = len(flatten(nest1)), len(flatten(nest2))
    if counts[0] != counts[1]:
        raise ValueError(
            f"`nest1` and `nest2` must hold as many values, but hold {counts[0]} and {counts[1]}: "
            f"{_shape(nest1)} and {_shape(nest2)}."
        )
    _compare(nest1, nest2, check_types)


def convert_to_list(value: Any, n: int, name: str, dtype: Any = int) -> list[Any]:
    """Return `value` n times, or, if it is a sequence of n numbers, as a list.

    Same as Paddle 1.8.

    Args:
        value: a number of `dtype`, or a sequence of numbers.
        n: how many.
        name: what errors call `value`.
        dtype: a type of numbers.

    Raises:
        ValueError: `value` is neither of these.
    """
    if isinstance(value, dtype):
        return [value] * n
    try:
        values = list(value)
        for each in values:
            dtype(each)
    except (TypeError, ValueError):
        values = []
    if len(values) != n:
        raise ValueError(
            f"`{name}` must be one {dtype.__name__} or a list of {n}, but received {value!r}."
        )
    return values


def _parts(nest: Any) -> list[Any]:
    """Return what a sequence consists of, its dictionary's values by sorted key."""
    if not isinstance(nest, dict):
        return list(nest)
    try:
        return [nest[key] for key in sorted(nest)]
    except TypeError:
        raise TypeError(
            f"a structure's dictionary must have keys that can be sorted, but has {list(nest)}."
        ) from None


def _leaves(nest: Any) -> Iterator[Any]:
    if not is_sequence(nest):
        yield nest
        return
    for part in _parts(nest):
        yield from _leaves(part)


def _pack(structure: Any, values: Iterator[Any]) -> Any:
    """Take values for a structure, and return them in its shape."""
    if not is_sequence(structure):
        return next(values)
    parts = [_pack(part, values) for part in _parts(structure)]
    if isinstance(structure, dict):
        packed = dict(zip(sorted(structure), parts, strict=True))
        return type(structure)((key, packed[key]) for key in structure)
    return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)


def _compare(nest1: Any, nest2: Any, check_types: bool) -> None:
    if is_sequence(nest1) != is_sequence(nest2):
        raise ValueError(
            "`nest1` and `nest2` must be nested alike, but one has "
            f"{_shape(nest1)} where the other has {_shape(nest2)}."
        )
    if not is_sequence(nest1):
        return
    if check_types and type(nest1) is not type(nest2):
        raise TypeError(
            "`nest1` and `nest2` must consist of the same types, but one has a "
            f"{type(nest1).__name__} where the other has a {type(nest2).__name__}."
        )
    if check_types and isinstance(nest1, dict) and set(nest1) != set(nest2):
        raise ValueError(
            f"`nest1` and `nest2` must have the same keys, but have {list(nest1)} and "
            f"{list(nest2)}."
        )
    # sequences of other lengths whose values number the same differ in nesting further in
    for part1, part2 in zip(_parts(nest1), _parts(nest2), strict=False):
        _compare(part1, part2, check_types)


def _shape(nest: Any) -> str:
    """Return a structure as text, each of its values being a dot."""
    if not is_sequence(nest):
        return "."
    if isinstance(nest, dict):
        return "{" + ", ".join(f"{key!r}: {_shape(nest[key])}" for key in nest) + "}"
    left, right = "()" if isinstance(nest, tuple) else "[]"
    return left + ", ".join(map(_shape, nest)) + right
