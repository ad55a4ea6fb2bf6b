"""Write the pickle that Paddle 1.8 reads: protocol 2, arrays under the names of NumPy 1.

The opcodes are written here, not by `pickle`, for two reasons: NumPy 2 names its own modules in a
pickle (`numpy._core`), which the NumPy of Python 3.7 does not have; and an array goes out piece by
piece, so that saving takes little memory. Protocol 2 has no bytes: an array's contents are a text
whose code points are the bytes, encoded again on reading, exactly as Python 3.7 does it.
May import: numpy, pickle_objects, pickle_reader.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from refluid.checkpoint.pickle_objects import ELEMENT_TYPES
from refluid.checkpoint.pickle_reader import MAX_DEPTH

__all__ = ["dump", "text"]

_PIECE_BYTES = 1 << 20
_MAX_TEXT_BYTES = 2**32 - 1  # the opcode's length field
_KNOWN_TYPES = (
    "a checkpoint holds arrays of booleans and numbers, dictionaries with string keys, lists, "
    "tuples, strings, bytes, numbers and None"
)


def dump(value: Any, where: str) -> Iterator[bytes]:
    """Yield a pickle of `value` in pieces, without the STOP opcode at its end.

    Args:
        value: arrays, dictionaries with string keys, lists, tuples, strings, bytes, numbers, None.
        where: what to call the value in error messages.

    Raises:
        TypeError: a part of it is something else.
        ValueError: a part is too large for the format, or is nested too deep.
    """
    yield b"\x80\x02"
    yield from _value(value, where, 0)


def text(value: str) -> bytes:
    """Return the opcode that pushes a string."""
    data = value.encode("utf-8")
    return b"X" + struct.pack("<I", len(data)) + data


def _value(value: Any, where: str, depth: int) -> Iterator[bytes]:
    if depth > MAX_DEPTH:
        raise ValueError(f"{where} is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, np.ndarray):
        yield from _array(value, where)
    elif isinstance(value, np.generic):
        yield from _scalar(value, where)
    elif isinstance(value, dict):
        yield from _dictionary(value, where, depth)
    elif isinstance(value, (list, tuple)):
        begin, end = (b"(", b"t") if isinstance(value, tuple) else (b"](", b"e")
        yield begin
        for index, item in enumerate(value):
            yield from _value(item, f"{where}[{index}]", depth + 1)
        yield end
    elif isinstance(value, bytes):
        yield from _contents(np.frombuffer(value, np.uint8), where)
    else:
        yield _leaf(value, where)


def _dictionary(value: dict[Any, Any], where: str, depth: int) -> Iterator[bytes]:
    yield b"}("
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"{where} has the key {key!r}, a {_kind(key)}; {_KNOWN_TYPES}.")
        yield text(key)
        yield from _value(item, f"{where}[{key!r}]", depth + 1)
    yield b"u"


def _leaf(value: Any, where: str) -> bytes:
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        return _integer(value, where)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if isinstance(value, str):
        return text(value)
    raise TypeError(f"{where} is a {_kind(value)}; {_KNOWN_TYPES}.")


def _integer(value: int, where: str) -> bytes:
    if 0 <= value < 2**8:
        return b"K" + struct.pack("<B", value)
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    size = value.bit_length() // 8 + 1
    if size > 255:
        raise ValueError(f"{where} is an integer of {size} bytes; at most 255 can be written.")
    return b"\x8a" + struct.pack("<B", size) + value.to_bytes(size, "little", signed=True)


def _array(value: np.ndarray, where: str) -> Iterator[bytes]:
    code = _code(value.dtype, where)
    # Little-endian and in C order, whatever the array's own layout: what Paddle itself writes
    flat = np.asarray(value, value.dtype.newbyteorder("<"), order="C").reshape(-1)
    yield b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85"
    yield from _contents(np.frombuffer(b"b", np.uint8), where)
    yield b"tR(K\x01("
    for size in value.shape:
        yield _integer(size, where)
    yield b"t" + _element_type(code) + b"\x89"
    yield from _contents(flat.view(np.uint8), where)
    yield b"tb"


def _scalar(value: np.generic, where: str) -> Iterator[bytes]:
    flat = np.asarray(value).astype(value.dtype.newbyteorder("<")).reshape(-1)
    yield b"cnumpy.core.multiarray\nscalar\n" + _element_type(_code(value.dtype, where))
    yield from _contents(flat.view(np.uint8), where)
    yield b"\x86R"


def _element_type(code: str) -> bytes:
    order = "|" if code.endswith("1") else "<"
    state = b"(K\x03" + text(order) + b"NNN" + 2 * b"J\xff\xff\xff\xff" + b"K\x00tb"
    return b"cnumpy\ndtype\n" + text(code) + b"\x89\x88\x87R" + state


def _code(dtype: np.dtype, where: str) -> str:
    code = f"{dtype.kind}{dtype.itemsize}"
    if code not in ELEMENT_TYPES:
        raise TypeError(f"{where} is an array of {dtype.name}; {_KNOWN_TYPES}.")
    return code


def _contents(data: np.ndarray, where: str) -> Iterator[bytes]:
    """Yield bytes as the call `_codecs.encode(text, "latin1")`, the text being UTF-8."""
    pieces = range(0, len(data), _PIECE_BYTES)
    size = len(data) + sum(np.count_nonzero(data[i : i + _PIECE_BYTES] > 127) for i in pieces)
    if size > _MAX_TEXT_BYTES:
        raise ValueError(
            f"{where} has {len(data)} bytes, which take {size} in a Paddle 1.8 file; at most "
            f"{_MAX_TEXT_BYTES} can be written. Split it."
        )
    yield b"c_codecs\nencode\nX" + struct.pack("<I", size)
    for start in pieces:
        yield data[start : start + _PIECE_BYTES].tobytes().decode("latin-1").encode("utf-8")
    yield text("latin1") + b"\x86R"


def _kind(value: object) -> str:
    cls = type(value)
    return cls.__name__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__name__}"
