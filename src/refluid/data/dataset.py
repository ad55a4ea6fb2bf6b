"""Labelled images, and a data set of three such parts: to train, to validate, to test.

A part checks itself when it is made, so what reads a file need not, and whoever uses a part may
rely on it. The errors name the source that the reader gave.
Shapes: N images, C channels (always 1), H height, W width.
May import: numpy, errors.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from refluid.errors import DataError

__all__ = ["NUM_CLASSES", "DataSet", "LabeledImages"]

NUM_CLASSES = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class LabeledImages:
    """Images of digits, and what each shows.

    Args:
        images: float32 [N, C, H, W], values in [0, 1].
        labels: int64 [N], values from 0 to 9.
        source: where they come from, in words, for messages.

    Raises:
        DataError: there are no images, not as many labels as images, or a value is out of range.
    """

    images: NDArray[np.float32] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    source: str

    def __post_init__(self) -> None:
        assert self.images.dtype == np.float32
        assert self.images.ndim == 4
        assert self.labels.dtype == np.int64
        if self.images.size == 0:
            raise DataError(f"{self.source}: expected at least one image, but there is none.")
        if len(self.images) != len(self.labels):
            raise DataError(
                f"{self.source}: expected as many labels as images, but there are "
                f"{len(self.images)} images and {len(self.labels)} labels."
            )
        low, high = float(self.images.min()), float(self.images.max())
        # written so that it is true of nan as well
        if not (low >= 0 and high <= 1):
            raise DataError(
                f"{self.source}: expected pixels from 0 to 1, but they go from {low} to {high}."
            )
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < 0 or high >= NUM_CLASSES:
            raise DataError(
                f"{self.source}: expected labels from 0 to {NUM_CLASSES - 1}, "
                f"but they go from {low} to {high}."
            )

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class DataSet:
    """A data set: parts to train with, to validate with, and to test with.

    Args:
        name: what it is called on a screen.
        train: the parameters are fitted to these.
        valid: looked at after each epoch; hyperparameters are chosen by these.
        test: looked at once, at the end.

    Raises:
        DataError: the parts have images of different sizes.
    """

    name: str
    train: LabeledImages
    valid: LabeledImages
    test: LabeledImages

    def __post_init__(self) -> None:
        for part in (self.valid, self.test):
            if part.images.shape[1:] != self.train.images.shape[1:]:
                raise DataError(
                    f"{part.source}: expected images of {_size(self.train)} as in "
                    f"{self.train.source}, but they are {_size(part)}."
                )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Return [C, H, W] of every image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width


def _size(part: LabeledImages) -> str:
    return "x".join(map(str, part.images.shape[2:]))
