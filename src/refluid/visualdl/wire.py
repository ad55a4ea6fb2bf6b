"""Records as bytes: what VisualDL keeps in a file, encoded and taken apart again.

A record is a message of protocol buffers: numbered fields, each a variable-length integer, four or
eight fixed bytes, or bytes with their length before them. VisualDL's record holds one value, which
is a step (1), a tag (2), a time in milliseconds (3) and one content, whose number is its `Kind`.

A void is a record that holds an empty piece of meta data, of no tag, and bytes that readers skip.
It shows nowhere. Its first `VOID_HEAD` bytes make it one whatever follows, so that writing these
over the beginning of any record makes that record void, in place and at once.
May import: nothing of refluid.
"""

from __future__ import annotations

import enum
import re
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = [
    "VOID_HEAD",
    "Kind",
    "Point",
    "Series",
    "block",
    "double",
    "integer",
    "packed",
    "point_of",
    "record",
    "single",
    "void_head",
]

_VARINT, _EIGHT_BYTES, _BLOCK, _FOUR_BYTES = 0, 1, 2, 5
_FIXED = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}
_LARGEST_SINGLE = float.fromhex("0x1.fffffep+127")

_BYTES = [bytes([value]) for value in range(256)]

# values: {meta_data: {}}, then a field of the record's own that no version of VisualDL knows
_VOID = bytes([0x0A, 2, 0x52, 0, 0x7A])
VOID_HEAD = len(_VOID) + 5


class Kind(enum.IntEnum):
    """What a record holds; the number of its field."""

    SCALAR = 4
    IMAGE = 5
    AUDIO = 6
    EMBEDDINGS = 7
    HISTOGRAM = 8
    PR_CURVE = 9
    META_DATA = 10
    ROC_CURVE = 11
    TEXT = 12
    HPARAM = 13
    TAG_VALUE = 14


_KINDS = frozenset(map(int, Kind))

# of less than 128 bytes: its step and the length of its tag; then a time and four bytes
_SCALAR_HEAD = re.compile(rb"\x0a[\x00-\x7f]\x08([\x80-\xff]{0,9}[\x00-\x7f])\x12[\x00-\x7f]")
_SCALAR_END = re.compile(rb"\x18[\x80-\xff]{0,9}[\x00-\x7f]\x25.{4}\Z", re.DOTALL)

Series = tuple[int, bytes, bytes]


class Point(NamedTuple):
    """Where a record belongs.

    Attributes:
        series: its `Kind`, its tag, and its tag within that, which is mostly empty.
        step: its place there.
    """

    series: Series
    step: int


def integer(number: int, value: int) -> bytes:
    """Return a field that holds an integer of 64 bits."""
    return bytes([number << 3 | _VARINT]) + _varint(value)


def block(number: int, content: bytes) -> bytes:
    """Return a field that holds bytes, a text or another message."""
    return bytes([number << 3 | _BLOCK]) + _varint(len(content)) + content


def single(number: int, value: float) -> bytes:
    """Return a field that holds a float32; what is too large for one is infinite."""
    if abs(value) > _LARGEST_SINGLE:
        value = struct.unpack("<f", struct.pack("<f", _rounded(value)))[0]
    return struct.pack("<Bf", number << 3 | _FOUR_BYTES, value)


def double(number: int, value: float) -> bytes:
    """Return a field that holds a float64."""
    return struct.pack("<Bd", number << 3 | _EIGHT_BYTES, value)


def packed(number: int, code: str, values: Iterable[float]) -> bytes:
    """Return a field that holds numbers: `d` for float64, `f` for float32, `q` for integers."""
    if code == "q":
        return block(number, b"".join(_varint(int(value)) for value in values))
    numbers = [_rounded(value) for value in values] if code == "f" else list(values)
    return block(number, struct.pack(f"<{len(numbers)}{code}", *numbers))


def record(tag: bytes, step: int, walltime: int, content: bytes) -> bytes:
    """Return a whole record.

    Args:
        tag: the name, in UTF-8.
        step: a signed integer of 64 bits.
        walltime: in milliseconds.
        content: a field whose number is a `Kind`.
    """
    value = (
        b"\x08"
        + _varint(step)
        + b"\x12"
        + _varint(len(tag))
        + tag
        + b"\x18"
        + _varint(walltime)
        + content
    )
    return b"\x0a" + _varint(len(value)) + value


def void_head(size: int) -> bytes:
    """Return the beginning of a void of `size` bytes, which are at least `VOID_HEAD`."""
    rest = size - VOID_HEAD
    # in five bytes, however few would do, so that a void may have any size
    length = bytes(rest >> shift & 0x7F | 0x80 for shift in (0, 7, 14, 21)) + bytes([rest >> 28])
    return _VOID + length


def point_of(body: bytes) -> Point | None:
    """Return where a record belongs, or None for a void and for what is of an unknown kind.

    Raises:
        ValueError: this is not a record of VisualDL.
    """
    if body.startswith(_VOID):
        return None
    return _scalar_point_of(body) or _any_point_of(body)


def _scalar_point_of(body: bytes) -> Point | None:
    """Return where a usual scalar belongs: of a million records, nearly all are such."""
    head = _SCALAR_HEAD.match(body)
    if head is None or body[1] + 2 != len(body):
        return None
    start = head.end()
    end = start + body[start - 1]
    if _SCALAR_END.match(body, end) is None:
        return None
    step = shift = 0
    for byte in head[1]:
        step |= (byte & 0x7F) << shift
        shift += 7
    return Point((Kind.SCALAR, body[start:end], b""), step) if not step >> 63 else None


def _any_point_of(body: bytes) -> Point | None:
    values = [content for number, content in _fields(body) if number == 1]
    if len(values) != 1 or not isinstance(values[0], bytes):
        raise ValueError("it does not hold one value")
    step, tag, sub_tag = 0, b"", b""
    for number, content in _fields(values[0]):
        if number == 1 and isinstance(content, int):
            step = content - (1 << 64) if content >> 63 else content
        elif number == 2 and isinstance(content, bytes):
            tag = content
        elif number in _KINDS:
            if number == Kind.TAG_VALUE and isinstance(content, bytes):
                names = (each for n, each in _fields(content) if n == 1 and isinstance(each, bytes))
                sub_tag = next(names, b"")
            # contents are written last
            return Point((number, tag, sub_tag), step)
    return None


def _varint(value: int) -> bytes:
    if 0 <= value < 0x80:
        return _BYTES[value]
    value &= (1 << 64) - 1
    found = b""
    while value >= 0x80:
        found += _BYTES[value & 0x7F | 0x80]
        value >>= 7
    return found + _BYTES[value]


def _rounded(value: float) -> float:
    """Return `value`, or infinity where a float32 overflows, which `struct` refuses."""
    try:
        struct.pack("<f", value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return value


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Iterate over the fields of a message: number and content."""
    at, end = 0, len(message)
    while at < end:
        key, at = _read_varint(message, at)
        form = key & 7
        if form == _VARINT:
            value, at = _read_varint(message, at)
            yield key >> 3, value
            continue
        if form == _BLOCK:
            size, at = _read_varint(message, at)
        else:
            size = _FIXED.get(form, end)
        if at + size > end:
            raise ValueError("a field is cut, or of an unknown form")
        yield key >> 3, message[at : at + size]
        at += size


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """Return an integer, and where what follows it begins."""
    value = shift = 0
    for place in range(at, min(at + 10, len(message))):
        byte = message[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7
    raise ValueError("a number is cut or too long")
