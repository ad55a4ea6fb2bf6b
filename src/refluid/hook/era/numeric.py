"""What stands in for names that NumPy, scikit-learn and pandas had until 2020.

Only loaded when one is used, by a program that has the library.
May import: nothing of refluid.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

__all__ = [
    "NINF",
    "append",
    "as_matrix",
    "asfarray",
    "asscalar",
    "in1d",
    "itemset",
    "iteritems",
    "linear_assignment",
    "ptp",
    "to_numpy_matrix",
    "tostring",
]

NINF = -np.inf


def asscalar(a: Any) -> object:
    """Return the single element of an array as a number of Python's."""
    return np.asarray(a).item()


def asfarray(a: Any, dtype: Any = np.float64) -> np.ndarray:
    """Return `a` as an array of floats, float64 unless `dtype` is another kind of float."""
    if not np.issubdtype(dtype, np.inexact):
        dtype = np.float64
    return np.asarray(a, dtype=dtype)


def in1d(ar1: Any, ar2: Any, assume_unique: bool = False, invert: bool = False) -> np.ndarray:
    """Return which elements of `ar1` are in `ar2`, flattened."""
    return np.isin(np.ravel(ar1), ar2, assume_unique=assume_unique, invert=invert)


def itemset(array: np.ndarray, *arguments: Any) -> None:
    """Set one element: `array.itemset(value)`, or `array.itemset(index, value)`."""
    *index, value = arguments
    if not index:
        index = [0]
    place = index[0] if len(index) == 1 else tuple(index)
    if isinstance(place, tuple):
        array[place] = value
    else:
        array.flat[place] = value


def ptp(array: np.ndarray, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """Return the largest element less the smallest."""
    return np.ptp(array, axis, out, keepdims)


def tostring(array: np.ndarray, order: Any = "C") -> bytes:
    """Return the bytes of an array."""
    return array.tobytes(order)


def to_numpy_matrix(graph: Any, *arguments: Any, **named: Any) -> np.matrix:
    """Return the weights between the nodes of a graph as a matrix."""
    networkx = sys.modules["networkx"]
    return np.asmatrix(networkx.to_numpy_array(graph, *arguments, **named))


def linear_assignment(X: Any) -> np.ndarray:
    """Return the rows and columns of a cheapest assignment: [number of pairs, 2]."""
    # no dependency of refluid; a program that had this function has it
    from scipy.optimize import linear_sum_assignment

    return np.stack(linear_sum_assignment(np.atleast_2d(X)), axis=1)


def append(
    frame: Any,
    other: Any,
    ignore_index: bool = False,
    verify_integrity: bool = False,
    sort: bool = False,
) -> Any:
    """Return a DataFrame or Series with the rows of `other` after its own.

    Args:
        frame: a DataFrame or a Series, which is not changed.
        other: the same, a list of these, or for a DataFrame a row as a dictionary or a Series.
        ignore_index: number the rows from 0.
        verify_integrity: refuse labels that occur twice.
        sort: sort the columns.

    Raises:
        TypeError: a row has no name to be its label, and `ignore_index` is False.
    """
    pandas = sys.modules["pandas"]
    is_frame = isinstance(frame, pandas.DataFrame)
    others = list(other) if isinstance(other, list | tuple) else [other]
    if is_frame and others and not isinstance(others[0], pandas.DataFrame):
        others = [_rows(pandas, other, ignore_index)]
    joined = pandas.concat(
        # an empty frame would decide on types that its rows have not
        [each for each in (frame, *others) if len(each)] or [frame, *others],
        ignore_index=ignore_index,
        verify_integrity=verify_integrity,
        **({"sort": sort} if is_frame else {}),
    )
    if is_frame and not sort:
        every = dict.fromkeys(name for each in (frame, *others) for name in each.columns)
        joined = joined.reindex(columns=list(every))
    return joined


def _rows(pandas: Any, other: Any, ignore_index: bool) -> Any:
    """Return rows that are to be appended to a DataFrame as one: a list of them, or a single."""
    if not isinstance(other, dict | pandas.Series):
        return pandas.DataFrame(other)
    other = pandas.Series(other) if isinstance(other, dict) else other
    if other.name is None and not ignore_index:
        raise TypeError(
            "`other` is a row without a name to be its label in the index: use "
            "`ignore_index=True`, or a Series with a name."
        )
    return other.to_frame().T.infer_objects()


def iteritems(data: Any) -> Iterator[tuple[Any, Any]]:
    """Return the pairs of name and column of a DataFrame, of label and value of a Series."""
    return data.items()


def as_matrix(frame: Any, columns: Iterable[Any] | None = None) -> np.ndarray:
    """Return a DataFrame's values, of some columns if these are named."""
    return (frame if columns is None else frame[list(columns)]).values
