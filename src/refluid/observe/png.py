"""PNG files: 8 bits a channel, gray or red-green-blue.

Written here because a run keeps pictures whether or not an imaging library is installed.
Source: ISO/IEC 15948 (PNG, third edition), sections 5, 9 and 11.
May import: numpy.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["encode_png", "size_of_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GRAY, _RGB = 0, 2


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a PNG file.

    Args:
        pixels: uint8, [H, W] in gray or [H, W, 3] in red, green, blue.
    """
    height, width = pixels.shape[:2]
    color = _GRAY if pixels.ndim == 2 else _RGB
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    # each line begins with the number of its filter, 0 for none
    lines = np.zeros((height, 1 + pixels[0].size), np.uint8)
    lines[:, 1:] = pixels.reshape(height, -1)
    data = zlib.compress(lines.tobytes())
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def size_of_png(png: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG file, or None if it is none."""
    if not png.startswith(_SIGNATURE) or png[12:16] != b"IHDR" or len(png) < 24:
        return None
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
