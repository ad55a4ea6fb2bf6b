"""MNIST as readers: 60,000 handwritten digits to train with, 10,000 to test with.

Shapes: B samples, D = 784 pixels.
May import: numpy, refluid.data, refluid.errors, dataset.common.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from refluid.data.idx import read_idx
from refluid.errors import DataError
from refluid.paddle.dataset import common

__all__ = ["test", "train"]

URL_PREFIX = "https://dataset.bj.bcebos.com/mnist/"
TEST_IMAGE_URL = URL_PREFIX + "t10k-images-idx3-ubyte.gz"
TEST_IMAGE_MD5 = "9fb629c4189551a2d022fa330f9573f3"
TEST_LABEL_URL = URL_PREFIX + "t10k-labels-idx1-ubyte.gz"
TEST_LABEL_MD5 = "ec29112dd5afa0611ce80d1b7f02629c"
TRAIN_IMAGE_URL = URL_PREFIX + "train-images-idx3-ubyte.gz"
TRAIN_IMAGE_MD5 = "f68b3c2dcbeaaa9fbdd348bbdeb94873"
TRAIN_LABEL_URL = URL_PREFIX + "train-labels-idx1-ubyte.gz"
TRAIN_LABEL_MD5 = "d53e105ee54ea40749a09fcbcd1e9432"

common.CONTENT_MD5.update(
    {
        TEST_IMAGE_MD5: "2646ac647ad5339dbf082846283269ea",
        TEST_LABEL_MD5: "27ae3e4e09519cfbb04c329615203637",
        TRAIN_IMAGE_MD5: "6bbc9ace898e44ae57da46a324031adb",
        TRAIN_LABEL_MD5: "a25bea736e30d166cdddb491f175f624",
    }
)

_BLOCK = 100

Sample = tuple[np.ndarray, int]


def reader_creator(
    image_filename: str, label_filename: str, buffer_size: int
) -> Callable[[], Iterator[Sample]]:
    """Make a reader of a pair of IDX files.

    Same as Paddle 1.8, whose arithmetic it repeats: float32 pixel / 255 * 2 - 1.

    Args:
        image_filename: IDX file of images, gzipped or not.
        label_filename: IDX file of labels, gzipped or not.
        buffer_size: how many images are converted at a time.

    Returns:
        A reader of (float32 [D] in [-1, 1], int label).

    Raises:
        DataError: (while reading) a file is truncated, damaged, or not of its kind.
    """

    def reader() -> Iterator[Sample]:
        pixels = read_idx(image_filename, 3)
        labels = read_idx(label_filename, 1).tolist()
        if len(pixels) != len(labels):
            raise DataError(
                f"{image_filename} has {len(pixels)} images, "
                f"but {label_filename} has {len(labels)} labels."
            )
        pixels = pixels.reshape(len(pixels), -1)
        for start in range(0, len(labels), buffer_size):
            # one constant at a time, as Paddle does: folded into one they round differently
            images_BD = pixels[start : start + buffer_size].astype(np.float32)
            images_BD = images_BD / 255.0 * 2.0 - 1.0
            yield from zip(images_BD, labels[start : start + buffer_size], strict=True)

    return reader


def train() -> Callable[[], Iterator[Sample]]:
    """Return a reader of the training set; its files are downloaded if need be.

    Same as Paddle 1.8.

    Returns:
        A reader of 60,000 samples (float32 [D] in [-1, 1], int label from 0 to 9).

    Raises:
        DataError: a file is not there and cannot be downloaded.
    """
    return reader_creator(
        common.download(TRAIN_IMAGE_URL, "mnist", TRAIN_IMAGE_MD5),
        common.download(TRAIN_LABEL_URL, "mnist", TRAIN_LABEL_MD5),
        _BLOCK,
    )


def test() -> Callable[[], Iterator[Sample]]:
    """Return a reader of the test set; its files are downloaded if need be.

    Same as Paddle 1.8.

    Returns:
        A reader of 10,000 samples (float32 [D] in [-1, 1], int label from 0 to 9).

    Raises:
        DataError: a file is not there and cannot be downloaded.
    """
    return reader_creator(
        common.download(TEST_IMAGE_URL, "mnist", TEST_IMAGE_MD5),
        common.download(TEST_LABEL_URL, "mnist", TEST_LABEL_MD5),
        _BLOCK,
    )


def fetch() -> None:
    """Download the four files, if need be. Same as Paddle 1.8."""
    train()
    test()
