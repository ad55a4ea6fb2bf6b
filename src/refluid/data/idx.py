"""IDX files: arrays of unsigned bytes, the format in which MNIST is published.

A header of 4 + 4 * dims bytes: two zeros, the type (8: unsigned byte), the number of dimensions,
then each dimension as a big-endian uint32; after it the values. The header says how long a file
has to be, and exactly that much is read.
May import: numpy, errors, data.stream.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refluid.data.stream import DataStream
from refluid.errors import DataError

__all__ = ["read_idx"]

_UNSIGNED_BYTE = 8


def read_idx(path: str | Path, num_dims: int) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, compressed with gzip or not.

    Args:
        path: the file.
        num_dims: how many dimensions it must have: 3 for images, 1 for labels.

    Returns:
        uint8, read-only, of the shape that the header says: [N, H, W] or [N].

    Raises:
        DataError: the file cannot be read, is not of this kind, or is longer or shorter than its
            header says.
    """
    with DataStream(Path(path)) as stream:
        begin = stream.read(4)
        expected = bytes((0, 0, _UNSIGNED_BYTE, num_dims))
        if begin != expected:
            raise DataError(
                f"{path} is not an IDX file of {'images' if num_dims == 3 else 'labels'}: expected "
                f"it to begin with {expected.hex(' ')}, but it begins with "
                f"{begin.hex(' ') or 'nothing'}."
            )
        header = stream.read(4 * num_dims)
        if len(header) < 4 * num_dims:
            raise DataError(f"{path} is cut off: it ends within its header.")
        shape = struct.unpack(f">{num_dims}I", header)
        num_bytes = math.prod(shape)
        values = stream.read(num_bytes)
        # this also makes gzip compare its checksum, which stands behind the last value
        more = stream.read(1)
    if len(values) < num_bytes or more:
        found = f"only {len(values)} follow" if not more else "more follow"
        raise DataError(
            f"{path} is not whole: its header says {' x '.join(map(str, shape))} = {num_bytes} "
            f"bytes, but {found}. Fetch it again."
        )
    return np.frombuffer(values, np.uint8).reshape(shape)
