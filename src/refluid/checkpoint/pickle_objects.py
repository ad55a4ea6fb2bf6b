"""The few things outside its own opcodes that a Paddle checkpoint refers to by name.

A pickle calls what it names: this is how a hostile one runs code. Here a name leads to nothing but
a row of `KNOWN`, whose functions are refluid's own and make arrays, element types and numbers out
of values that they check. No name is ever looked up in a module. An array is a `Shell` until its
contents arrive, since a pickle creates it first and fills it later.

`spend` is told how many bytes a function is about to make; it raises when a small file asks for a
large amount of memory by using the same bytes many times.
May import: numpy, errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from refluid.errors import CheckpointError

__all__ = ["ELEMENT_TYPES", "KNOWN", "ElementType", "Known", "Shell"]

Spend = Callable[[int], None]

ELEMENT_TYPES = frozenset("b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16".split())
_MAX_DIMS = 32  # NumPy 1's own limit
_MAX_EMPTY = 2**31  # product of the other sizes of an array that has a size 0


class ElementType:
    """The element type of arrays: made by its code, then told its byte order."""

    def __init__(self, code: str) -> None:
        self.dtype = np.dtype(code)

    def build(self, state: Any) -> None:
        """Set the byte order; refuse element types made of several fields."""
        if not (
            type(state) is tuple
            and len(state) in (8, 9)
            and type(state[1]) is str
            and state[1] in ("<", ">", "|", "=")
        ):
            raise CheckpointError("the state of a numpy.dtype is malformed")
        if state[2:5] != (None, None, None):
            raise CheckpointError("it holds an array whose elements are structures, not numbers")
        self.dtype = self.dtype.newbyteorder(state[1])

    def decode(self, raw: bytes, spend: Spend) -> np.ndarray:
        """Return the elements in `raw` as a new one-dimensional array in native byte order."""
        spend(len(raw))
        flat = np.frombuffer(raw, self.dtype)
        if self.dtype.kind == "b" and flat.view(np.uint8).max(initial=0) > 1:
            raise CheckpointError("a boolean array holds bytes other than 0 and 1")
        return flat.astype(self.dtype.newbyteorder("="), copy=True)


class Shell:
    """An array that has been announced, and its contents once they have arrived."""

    def __init__(self) -> None:
        self.array: np.ndarray | None = None

    def build(self, state: Any, spend: Spend) -> None:
        """Fill the array from (1, shape, element type, in Fortran order, bytes)."""
        if self.array is not None:
            raise CheckpointError("the contents of one array are given twice")
        if not (type(state) is tuple and len(state) == 5 and type(state[0]) is int):
            raise CheckpointError("the state of a numpy.ndarray is malformed")
        version, shape, kind, fortran, data = state
        if version != 1 or type(fortran) not in (bool, int):
            raise CheckpointError("the state of a numpy.ndarray is malformed")
        self.fill(shape, kind, "F" if fortran else "C", data, spend)

    def fill(self, shape: Any, kind: Any, order: Any, data: Any, spend: Spend) -> None:
        """Make the array, once all that describes it has been checked."""
        if type(kind) is not ElementType or order not in ("C", "F"):
            raise CheckpointError("the description of an array is malformed")
        raw = _bytes(data)
        if type(shape) is not tuple or len(shape) > _MAX_DIMS or not all(map(_is_size, shape)):
            raise CheckpointError("the shape of an array is not a tuple of sizes")
        expected = math.prod(shape) * kind.dtype.itemsize
        if expected != len(raw):
            raise CheckpointError(
                f"an array of shape {list(shape)} and type {kind.dtype.name} takes "
                f"{expected} bytes, but {len(raw)} are there"
            )
        if not expected and math.prod(size or 1 for size in shape) > _MAX_EMPTY:
            raise CheckpointError(f"the shape {list(shape)} of an empty array is too large")
        self.array = kind.decode(raw, spend).reshape(shape, order=order)


@dataclass(frozen=True)
class Known:
    """A name that a checkpoint may use, and what calling it means; None if it is only passed on."""

    name: str
    call: Callable[[tuple[Any, ...], Spend], Any] | None = None


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _bytes(data: Any) -> bytes:
    """Return the bytes of an array, which Python 2 wrote as a str, one character for each."""
    if type(data) is str:
        try:
            return data.encode("latin-1")
        except UnicodeEncodeError:
            raise CheckpointError("the contents of an array are text") from None
    if type(data) is bytes:
        return data
    # An array of objects has a list here
    raise CheckpointError(f"the contents of an array are a {type(data).__name__}, not bytes")


def _array(args: tuple[Any, ...], spend: Spend) -> Shell:
    if len(args) != 3 or args[0] is not _NDARRAY:
        raise CheckpointError("an array is announced as something other than numpy.ndarray")
    return Shell()


def _filled_array(args: tuple[Any, ...], spend: Spend) -> Shell:
    """Return an array of protocol 5, which is described all at once."""
    if len(args) != 4:
        raise CheckpointError("the description of an array is malformed")
    data, kind, shape, order = args
    shell = Shell()
    shell.fill(shape, kind, order, data, spend)
    return shell


def _element_type(args: tuple[Any, ...], spend: Spend) -> ElementType:
    code = args[0] if args else None
    if type(code) is not str or code not in ELEMENT_TYPES:
        shown = repr(code[:40]) if type(code) is str else f"a {type(code).__name__}"
        raise CheckpointError(
            f"it holds an array of the element type {shown}; only booleans and numbers are known"
        )
    return ElementType(code)


def _scalar(args: tuple[Any, ...], spend: Spend) -> np.generic:
    if len(args) != 2 or type(args[0]) is not ElementType:
        raise CheckpointError("a NumPy number is malformed")
    raw = _bytes(args[1])
    if len(raw) != args[0].dtype.itemsize:
        raise CheckpointError("a NumPy number has too few or too many bytes")
    number: np.generic = args[0].decode(raw, spend)[0]
    return number


def _encode(args: tuple[Any, ...], spend: Spend) -> bytes:
    """Return bytes that protocol 2, which has none, holds as text of the same code points."""
    if len(args) != 2 or type(args[0]) is not str or args[1] not in ("latin1", "latin-1"):
        raise CheckpointError("_codecs.encode is used for something other than bytes")
    spend(len(args[0]))
    return _bytes(args[0])


def _empty_bytes(args: tuple[Any, ...], spend: Spend) -> bytes:
    if args:
        raise CheckpointError("bytes() is called with arguments")
    return b""


def _dictionary(args: tuple[Any, ...], spend: Spend) -> dict[str, Any]:
    """Return an OrderedDict as a dict; Python 2 gives its items as a list of pairs."""
    pairs = args[0] if args else []
    if len(args) > 1 or type(pairs) is not list:
        raise CheckpointError("an OrderedDict is malformed")
    spend(8 * len(pairs))
    if not all(type(p) in (list, tuple) and len(p) == 2 and type(p[0]) is str for p in pairs):
        raise CheckpointError("an OrderedDict is malformed")
    return dict(pairs)


_NDARRAY = Known("numpy.ndarray")

# NumPy 2 renamed numpy.core to numpy._core, and files of both kinds are about
KNOWN = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): Known("numpy.dtype", _element_type),
    ("numpy.core.multiarray", "_reconstruct"): Known("numpy array", _array),
    ("numpy._core.multiarray", "_reconstruct"): Known("numpy array", _array),
    ("numpy.core.numeric", "_frombuffer"): Known("numpy array", _filled_array),
    ("numpy._core.numeric", "_frombuffer"): Known("numpy array", _filled_array),
    ("numpy.core.multiarray", "scalar"): Known("numpy number", _scalar),
    ("numpy._core.multiarray", "scalar"): Known("numpy number", _scalar),
    ("_codecs", "encode"): Known("_codecs.encode", _encode),
    ("__builtin__", "bytes"): Known("bytes", _empty_bytes),
    ("builtins", "bytes"): Known("bytes", _empty_bytes),
    ("collections", "OrderedDict"): Known("collections.OrderedDict", _dictionary),
}
