"""Tensors in a file of the safetensors format, written and read piece by piece.

The format is an 8 byte length, a JSON header of that length, and the tensors' bytes end to end. It
is written here rather than by the safetensors package so that a byte is touched once: hashed on its
way to the disk, and read straight into the tensor's own memory. Any program that reads safetensors
reads these files.

Element types that the format does not have, such as complex numbers, are stored as bytes, with one
more dimension; `__metadata__` then maps the tensor's name to the name that torch has for its type.
May import: torch, strict_json.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from itertools import accumulate, chain
from typing import Any

import torch

from refluid.checkpoint import strict_json

__all__ = ["pieces", "read"]

_METADATA = "__metadata__"
_PIECE_BYTES = 1 << 20
_MAX_HEADER_BYTES = 100_000_000  # what the safetensors package accepts
_NAMES = {
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.int16: "I16",
    torch.uint16: "U16",
    torch.int32: "I32",
    torch.uint32: "U32",
    torch.int64: "I64",
    torch.uint64: "U64",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float32: "F32",
    torch.float64: "F64",
}
_TYPES = {name: dtype for dtype, name in _NAMES.items()}
_OTHER_TYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in vars(torch).values()
    # quantized ones need scales besides their bytes
    if isinstance(dtype, torch.dtype) and dtype not in _NAMES and "torch.q" not in str(dtype)
}


@dataclass(frozen=True)
class _Entry:
    name: str
    dtype: torch.dtype
    shape: list[int]
    begin: int
    end: int


def pieces(tensors: Mapping[str, torch.Tensor]) -> Iterator[bytes | memoryview]:
    """Yield the contents of a file with `tensors`, without copying them.

    Args:
        tensors: dense and contiguous, on the CPU. They must not change meanwhile.

    Raises:
        ValueError: a name is not a text, or there are too many for one header.
    """
    # Wide elements first, so that each tensor begins at a multiple of its element's size
    names = sorted(tensors, key=lambda name: -tensors[name].element_size())
    header = strict_json.render(_header(tensors, names))
    header += b" " * (-len(header) % 8)
    if len(header) > _MAX_HEADER_BYTES:
        raise ValueError(f"{len(tensors)} tensors are too many for one file")
    yield struct.pack("<Q", len(header)) + header
    for name in names:
        data = _bytes_of(tensors[name])
        for start in range(0, len(data), _PIECE_BYTES):
            yield data[start : start + _PIECE_BYTES]


def read(file: BufferedReader, size: int) -> dict[str, torch.Tensor]:
    """Read the tensors of a file, in the order in which they were given to `pieces`.

    Args:
        file: at its beginning.
        size: how many bytes it has.

    Raises:
        ValueError: it is not such a file. The message is the reason, to follow a file's name.
        MemoryError: its tensors do not fit into memory.
    """
    (length,) = struct.unpack("<Q", _read_exactly(file, 8))
    if length > min(size - 8, _MAX_HEADER_BYTES):
        raise ValueError(f"claims a header of {length} bytes and has {size}")
    header = strict_json.parse(_read_exactly(file, length))
    entries = _entries(header, size - 8 - length)
    found: dict[str, torch.Tensor] = {}
    for entry in sorted(entries, key=lambda entry: (entry.begin, entry.end)):
        # Read as bytes and seen as what they are: some element types warn when they are allocated
        data = _allocate(entry.end - entry.begin)
        if file.readinto(data.numpy().data) != len(data):
            raise ValueError("ends before its tensors do")
        found[entry.name] = data.view(entry.dtype).reshape(entry.shape)
    return {entry.name: found[entry.name] for entry in entries}


def _header(tensors: Mapping[str, torch.Tensor], names: list[str]) -> dict[str, Any]:
    ends = dict(zip(names, accumulate(tensors[name].nbytes for name in names), strict=True))
    metadata: dict[str, str] = {}
    header: dict[str, Any] = {_METADATA: metadata}
    for name, tensor in tensors.items():
        if name in header:
            raise ValueError(f"a tensor is named {name!r}, which the format has for itself")
        name.encode("utf-8")  # other readers refuse what is no text: half a surrogate pair
        shape = list(tensor.shape)
        if tensor.dtype not in _NAMES:
            metadata[name] = str(tensor.dtype).removeprefix("torch.")
            shape.append(tensor.element_size())
        header[name] = {
            "dtype": _NAMES.get(tensor.dtype, "U8"),
            "shape": shape,
            "data_offsets": [ends[name] - tensor.nbytes, ends[name]],
        }
    return header


def _bytes_of(tensor: torch.Tensor) -> memoryview:
    return tensor.reshape(-1).view(torch.uint8).numpy().data


def _entries(header: Any, available: int) -> list[_Entry]:
    if type(header) is not dict:
        raise ValueError("has a header that is no dictionary")
    metadata = header.pop(_METADATA, {})
    if type(metadata) is not dict or any(type(text) is not str for text in metadata.values()):
        raise ValueError(f"has a {_METADATA} that does not map names to texts")
    entries = [_entry(name, record, metadata.get(name)) for name, record in header.items()]
    position = 0
    for entry in sorted(entries, key=lambda entry: (entry.begin, entry.end)):
        if entry.begin != position:
            raise ValueError(f"has {entry.name!r} at {entry.begin}, where {position} is due")
        position = entry.end
    if position != available:
        raise ValueError(f"lists {position} bytes of tensors and has {available}")
    return entries


def _entry(name: str, record: Any, other_type: str | None) -> _Entry:
    match record:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            pass
        case _:
            raise ValueError(f"describes {name!r} in another way than the format")
    if any(type(number) is not int or number < 0 for number in chain(shape, (begin, end))):
        raise ValueError(f"gives {name!r} a size that is no size")
    return _checked(_Entry(name, _type(name, dtype, other_type, shape), shape, begin, end))


def _type(name: str, dtype: str, other_type: str | None, shape: list[int]) -> torch.dtype:
    """Return the element type; take its dimension off `shape` if it is stored as bytes."""
    if other_type is None and dtype in _TYPES:
        return _TYPES[dtype]
    if dtype == "U8" and other_type in _OTHER_TYPES:
        result = _OTHER_TYPES[other_type]
        if shape and shape.pop() == result.itemsize:
            return result
    raise ValueError(f"gives {name!r} the element type {other_type or dtype!r}")


def _checked(entry: _Entry) -> _Entry:
    count = 1
    for size in entry.shape:
        count *= max(size, 1)
        if count >= 2**63:  # at once: a product of many sizes would take for ever
            raise ValueError(f"gives {entry.name!r} a shape beyond all counting")
    if math.prod(entry.shape) * entry.dtype.itemsize != entry.end - entry.begin:
        raise ValueError(f"gives {entry.name!r} a shape that its bytes do not fill")
    return entry


def _allocate(size: int) -> torch.Tensor:
    try:
        return torch.empty(size, dtype=torch.uint8)
    except RuntimeError as error:  # torch's allocator has no error of its own
        raise MemoryError(f"{size} bytes") from error


def _read_exactly(file: BufferedReader, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise ValueError("ends within its header")
    return data
