"""The two things that `dataset.image` takes from OpenCV, without it: decoding, bicubic resizing.

Pillow decodes, to OpenCV's bytes for JPEG and PNG. The resizing is in the arithmetic of the OpenCV
of Paddle's time (4.2): coefficients of bytes are rounded to 1/2048, and the sum of a pixel is
rounded once. One byte in 100,000 comes out different by 1, fewer than from OpenCV's own later
versions.
Shapes: H, W the size of an image, C = 3 channels, in the order blue, green, red.
May import: numpy, refluid.errors; PIL where an image is decoded.
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from refluid.errors import DataError

__all__ = ["decode", "opened", "resize_cubic"]

_SHARPNESS = -0.75  # the parameter of OpenCV's cubic kernel
_UNIT = 2048
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, LookupError, OverflowError, struct.error)
_DEEP = ("I", "F")  # beginnings of Pillow's modes for more than eight bits


@contextlib.contextmanager
def opened(data: bytes, name: str) -> Iterator[Any]:
    """Open an encoded image with Pillow, for the block in which it is decoded.

    Args:
        data: JPEG, PNG or another format.
        name: what to call it in an error.

    Raises:
        DataError: it cannot be decoded.
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image  # optional
    except ImportError:
        raise ImportError(
            "images are decoded with Pillow, which is not installed: pip install pillow."
        ) from None
    try:
        with Image.open(io.BytesIO(data)) as image:
            yield image
    except (*_DAMAGE, Image.DecompressionBombError) as error:
        raise DataError(f"{name} cannot be decoded as an image: {error}.") from None


def decode(data: bytes, is_color: bool, name: str) -> np.ndarray:
    """Return the pixels of an encoded image.

    Args:
        data: JPEG, PNG or another format.
        is_color: three channels whatever the image has; if False, its brightness.
        name: what to call it in an error.

    Returns:
        uint8 [H, W, C] or [H, W].

    Raises:
        DataError: it cannot be decoded.
        ImportError: Pillow is not installed.
    """
    with opened(data, name) as image:
        from PIL import ImageOps  # there since `opened` has found Pillow

        if image.mode.startswith(_DEEP):
            raise ValueError(f"its mode is {image.mode}, not one of eight bits")
        if not is_color:
            image.draft("L", image.size)  # JPEG keeps the brightness by itself
        upright = ImageOps.exif_transpose(image)
        if not is_color and upright.mode == "L":
            return np.array(upright)
        pixels = np.array(upright.convert("RGB"))
    if is_color:
        return np.ascontiguousarray(pixels[:, :, ::-1])
    return (pixels @ np.array([9797, 19234, 3737]) >> 15).astype(np.uint8)


def resize_cubic(im: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize an image as OpenCV does with INTER_CUBIC; nothing is smoothed where it shrinks.

    Args:
        im: uint8 or floating [H, W, C] or [H, W].
        width: new width.
        height: new height.

    Returns:
        [height, width, C] or [height, width], of the same element type.
    """
    is_bytes = im.dtype == np.uint8
    # exact for bytes: what the first pass gives is below 2**24, the second below 2**53
    sums = _along(im.astype(np.float32 if is_bytes else np.float64), 0, height, is_bytes)
    sums = _along(sums.astype(np.float64), 1, width, is_bytes)
    if not is_bytes:
        return sums.astype(im.dtype)
    return np.clip(np.rint(sums / _UNIT**2), 0, 255).astype(np.uint8)


def _along(values: np.ndarray, axis: int, new: int, is_bytes: bool) -> np.ndarray:
    """Resize one dimension; each new place is a sum over the four old ones around it."""
    old = values.shape[axis]
    place = ((np.arange(new) + 0.5) * (1.0 / (new / old)) - 0.5).astype(np.float32)
    left = np.floor(place)
    shape = [new if dim == axis else 1 for dim in range(values.ndim)]
    total = np.zeros((), values.dtype)
    for offset, weights in enumerate(_weights(place - left), -1):
        # what lies outside of the image is its border
        sources = np.clip(left.astype(int) + offset, 0, old - 1)
        rounded = np.rint(weights * _UNIT) if is_bytes else weights
        total = total + values.take(sources, axis) * rounded.astype(values.dtype).reshape(shape)
    return total


def _weights(x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the weights of the four places around, for float32 distances from the second."""
    a, far, near = _SHARPNESS, x + 1, 1 - x
    first = ((a * far - 5 * a) * far + 8 * a) * far - 4 * a
    second = ((a + 2) * x - (a + 3)) * x * x + 1
    third = ((a + 2) * near - (a + 3)) * near * near + 1
    return first, second, third, 1 - first - second - third
