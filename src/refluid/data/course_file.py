"""The course's `mnist.json.gz`: `[[images, labels], [images, labels], [images, labels]]`.

A list for each of train, validation and test; in it a list of images, each a list of H * W numbers
from 0 to 1, and a list of as many labels. Of MNIST that is 340 MB of text. `json` makes 55 million
Python floats of it, in 3 GB; here some megabytes at a time become arrays, in half the time.
Rows of plain decimals are read with array operations; a row with anything else, such as `1e-3`,
goes through `json`.
Shapes: N images, P pixels of an image, M numbers in a piece of text, L characters of a number.
May import: numpy, errors, data.dataset, data.stream.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refluid.data.dataset import DataSet, LabeledImages
from refluid.data.stream import DataStream, Progress
from refluid.errors import DataError

__all__ = ["read_course_file"]

_CHUNK_BYTES = 1 << 22
# one list of numbers; the labels of MNIST's training set are 100 KB
_MAX_LIST_BYTES = 1 << 24
# five times MNIST
_MAX_PIXELS = 1 << 28
# as many digits as a float64 holds exactly: then mantissa / 10**k is rounded once, as json does
_MAX_TOKEN = 16
_COMMA, _POINT, _ZERO, _OPEN, _CLOSE = b",.0[]"
_POINT_AS_DIGIT = (_POINT - _ZERO) % 256
_POWERS_OF_TEN = 10.0 ** np.arange(_MAX_TOKEN)


def read_course_file(path: Path, progress: Progress | None = None) -> DataSet:
    """Read a file like the course's `mnist.json.gz`, compressed or not.

    Args:
        path: the file.
        progress: is told how much of the file has been read.

    Returns:
        Images float32 [N, 1, H, W] with H = W, values in [0, 1].

    Raises:
        DataError: the file is damaged, cut off, not JSON, or its lists are not of this form.
    """
    with DataStream(path) as stream:
        text = _Text(stream, progress)
        parts = []
        for part, begin in (("train", "[["), ("validation", ",["), ("test", ",[")):
            text.expect(begin, f"the {part} set")
            images = _read_images(text, path, part)
            text.expect(",[", f"the labels of the {part} set")
            labels = _read_labels(text, path, part)
            text.expect("]", f"the end of the {part} set")
            source = f"{path}, {part} set"
            parts.append(LabeledImages(images=images, labels=labels, source=source))
        text.expect("]", "the end of the list of sets")
        text.expect_end()
    train, valid, test = parts
    return DataSet(name=path.name, train=train, valid=valid, test=test)


class _Text:
    """The text of a file without its white space, some megabytes of it at a time."""

    def __init__(self, stream: DataStream, progress: Progress | None) -> None:
        self._stream = stream
        self._progress = progress
        self._buffer = b""

    def _fill(self) -> bool:
        chunk = self._stream.read(_CHUNK_BYTES)
        self._buffer += chunk.translate(None, b" \t\r\n")
        if self._progress:
            self._progress(self._stream.fraction())
        return bool(chunk)

    def expect(self, literal: str, what: str) -> None:
        """Go past `literal`, where `what` begins or ends."""
        expected = literal.encode()
        while len(self._buffer) < len(expected) and self._fill():
            pass
        if not self._buffer.startswith(expected):
            self.fail(f"{literal!r} for {what}")
        self._buffer = self._buffer[len(expected) :]

    def expect_end(self) -> None:
        """Go past the end of the file."""
        while not self._buffer and self._fill():
            pass
        if self._buffer:
            self.fail("the end of the file")

    def until(self, last: bytes, between: bytes) -> Iterator[bytes]:
        """Yield what is before `last` in pieces cut at `between`; go past `last`."""
        while last not in self._buffer:
            piece, cut, rest = self._buffer.rpartition(between)
            if cut:
                yield piece
                self._buffer = rest
            if len(self._buffer) > _MAX_LIST_BYTES or not self._fill():
                self.fail(f"{last.decode()!r} after a list of at most {_MAX_LIST_BYTES} bytes")
        piece, _, self._buffer = self._buffer.partition(last)
        yield piece

    def fail(self, expected: str) -> None:
        """Raise an error that says what was expected here, and what is here."""
        here = self._buffer[:24].decode("ascii", "replace")
        found = f"{here!r}" if here else "the end of the file"
        raise DataError(
            f"{self._stream.path} is not a whole mnist.json.gz (a JSON list of three sets, each a "
            f"list of images and a list of labels): expected {expected}, but found {found}."
        )


def _read_images(text: _Text, path: Path, part: str) -> NDArray[np.float32]:
    text.expect("[[", f"the images of the {part} set")
    blocks: list[NDArray[np.float32]] = []
    num_pixels = 0
    for piece in text.until(b"]]", b"],["):
        rows = _parse_rows(piece)
        if rows is None or (blocks and rows.shape[1] != blocks[0].shape[1]):
            raise DataError(
                f"{path}, {part} set: expected each image to be a list of as many numbers as the "
                f"first, but there is {_excerpt(piece)}."
            )
        num_pixels += rows.size
        if num_pixels > _MAX_PIXELS:
            raise DataError(
                f"{path}, {part} set: expected at most {_MAX_PIXELS} pixels, but there are more."
            )
        blocks.append(rows.astype(np.float32))
    images_NP = np.concatenate(blocks)
    side = math.isqrt(images_NP.shape[1])
    if side * side != images_NP.shape[1]:
        raise DataError(
            f"{path}, {part} set: expected square images, such as 784 numbers for 28x28, but an "
            f"image has {images_NP.shape[1]}."
        )
    return images_NP.reshape(-1, 1, side, side)


def _read_labels(text: _Text, path: Path, part: str) -> NDArray[np.int64]:
    blocks = []
    for piece in text.until(b"]", b","):
        numbers = _parse_rows(piece)
        if numbers is None or len(numbers) != 1 or not _are_whole(numbers):
            raise DataError(
                f"{path}, {part} set: expected the labels to be a list of whole numbers, but there "
                f"is {_excerpt(piece)}."
            )
        blocks.append(numbers[0].astype(np.int64))
    return np.concatenate(blocks)


def _are_whole(numbers: NDArray[np.float64]) -> bool:
    small = np.abs(numbers) < _POWERS_OF_TEN[-1]
    return bool((small & (numbers == np.floor(numbers))).all())


def _excerpt(piece: bytes) -> str:
    shown = piece if len(piece) <= 40 else piece[:40] + b"..."
    return repr(shown.decode("ascii", "replace"))


def _parse_rows(piece: bytes) -> NDArray[np.float64] | None:
    """Return the numbers of `1,2],[3,4` as [N, P]; None if it is not N lists of P numbers."""
    text = np.frombuffer(piece, np.uint8)
    commas = np.flatnonzero(text == _COMMA)
    starts_M = np.concatenate([[0], commas + 1])
    ends_M = np.concatenate([commas, [len(text)]])
    # the commas between two rows, by their number among all commas
    borders = np.flatnonzero(text[commas - 1] == _CLOSE)
    num_columns = int(borders[0]) + 1 if len(borders) else len(starts_M)
    regular = np.arange(num_columns - 1, len(commas), num_columns)
    if len(starts_M) % num_columns or not np.array_equal(borders, regular):
        return None
    ends_M[borders] -= 1
    starts_M[borders + 1] += 1
    if not (text[starts_M[borders + 1] - 1] == _OPEN).all():
        return None
    numbers_M = _parse_decimals(text, starts_M, ends_M)
    if numbers_M is None:
        numbers_M = _parse_json(piece.replace(b"],[", b","))
    return None if numbers_M is None else numbers_M.reshape(-1, num_columns)


def _parse_decimals(
    text: NDArray[np.uint8], starts_M: NDArray[np.int64], ends_M: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Return the numbers [M] between `starts_M` and `ends_M`; None if one is no plain decimal."""
    lengths_M = ends_M - starts_M
    if lengths_M.min() < 1 or lengths_M.max() > _MAX_TOKEN:
        return None
    numbers_M = np.empty(len(starts_M))
    for length in np.flatnonzero(np.bincount(lengths_M)):
        chosen = np.flatnonzero(lengths_M == length)
        begins_M = starts_M[chosen]
        mantissas_M = np.zeros(len(chosen), np.int64)
        num_points_M = np.zeros(len(chosen), np.uint8)
        num_decimals_M = np.zeros(len(chosen), np.uint8)
        for place in range(length):
            # what is below "0", such as the point, wraps around to more than 9
            digits_M = text[begins_M + place] - np.uint8(_ZERO)
            num_decimals_M += num_points_M
            if digits_M.max() <= 9:
                mantissas_M *= 10
                mantissas_M += digits_M
                continue
            is_point_M = digits_M == _POINT_AS_DIGIT
            if place in (0, length - 1) or not (is_point_M | (digits_M <= 9)).all():
                return None
            num_points_M += is_point_M
            mantissas_M = np.where(is_point_M, mantissas_M, mantissas_M * 10 + digits_M)
        if num_points_M.max() > 1:
            return None
        numbers_M[chosen] = mantissas_M / _POWERS_OF_TEN[num_decimals_M]
    return numbers_M


def _parse_json(text: bytes) -> NDArray[np.float64] | None:
    """Return the numbers of `1e-3,2` as [M]; None if they are not numbers."""
    try:
        numbers = json.loads(b"[" + text + b"]")
    except (ValueError, RecursionError):
        return None
    # bool is an int, and not meant
    if not all(type(number) in (int, float) for number in numbers):
        return None
    try:
        return np.array(numbers, np.float64)
    except OverflowError:
        return None
