"""Small data files in the two forms that MNIST comes in."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pytest

NAMES = {
    "train images": "train-images-idx3-ubyte.gz",
    "train labels": "train-labels-idx1-ubyte.gz",
    "test images": "t10k-images-idx3-ubyte.gz",
    "test labels": "t10k-labels-idx1-ubyte.gz",
}


class Digits:
    """12 + 4 images of 4x4 with every pixel value from 0 to 255, and their labels."""

    def __init__(self) -> None:
        self.pixels = np.arange(16 * 16).reshape(16, 4, 4).astype(np.uint8)
        self.labels = (np.arange(16) % 10).astype(np.uint8)

    def idx(self, what: str) -> bytes:
        """The uncompressed IDX file `what`, such as "train images"."""
        chosen = slice(None, 12) if what.startswith("train") else slice(12, None)
        array = (self.pixels if what.endswith("images") else self.labels)[chosen]
        header = struct.pack(f">I{array.ndim}I", 0x0800 + array.ndim, *array.shape)
        return header + array.tobytes()

    def write_folder(self, folder: Path) -> Path:
        """Write the four IDX files, compressed."""
        for what, name in NAMES.items():
            (folder / name).write_bytes(gzip.compress(self.idx(what)))
        return folder

    def sets(self) -> list:
        """What the JSON file holds: 10 images to train, 2 to validate, 4 to test."""
        rows = (self.pixels.reshape(16, -1) / 256).tolist()
        labels = self.labels.tolist()
        cuts = (slice(0, 10), slice(10, 12), slice(12, 16))
        return [[rows[cut], labels[cut]] for cut in cuts]

    def write_json(self, path: Path, sets: object = None) -> Path:
        """Write a file like the course's, by default with `self.sets()`."""
        text = json.dumps(self.sets() if sets is None else sets)
        path.write_bytes(gzip.compress(text.encode()))
        return path


@pytest.fixture
def digits() -> Digits:
    return Digits()
