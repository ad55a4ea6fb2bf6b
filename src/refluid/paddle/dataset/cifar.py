"""CIFAR-10 and CIFAR-100 as readers: 50,000 small photographs to train with, 10,000 to test with.

The archives hold pickles, which are read without running anything in them.
Shapes: B samples, D = 3072 values: the red, the green and the blue plane of 32 x 32 pixels.
May import: numpy, refluid.errors, dataset.archive, dataset.common.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from refluid.errors import DataError
from refluid.paddle.dataset import common
from refluid.paddle.dataset.archive import open_tar, read_pickle

__all__ = ["test10", "test100", "train10", "train100"]

URL_PREFIX = "https://dataset.bj.bcebos.com/cifar/"
CIFAR10_URL = URL_PREFIX + "cifar-10-python.tar.gz"
CIFAR10_MD5 = "c58f30108f718f92721af3b95e74349a"
CIFAR100_URL = URL_PREFIX + "cifar-100-python.tar.gz"
CIFAR100_MD5 = "eb9058c3a382ffc7106e4002c42a8d85"

_BLOCK = 100

Sample = tuple[np.ndarray, int]


def reader_creator(
    filename: str, sub_name: str, cycle: bool = False
) -> Callable[[], Iterator[Sample]]:
    """Make a reader of those batches in an archive whose name contains `sub_name`.

    Differs from Paddle: the pickles in the archive are read without running them.

    Args:
        filename: the archive.
        sub_name: part of the names of the batches to read.
        cycle: begin again after the last sample, without end.

    Returns:
        A reader of (float32 [D] in [0, 1], int label).

    Raises:
        DataError: (while reading) the archive is damaged or not of this kind.
    """

    def reader() -> Iterator[Sample]:
        while True:
            with open_tar(filename) as tar:
                found = 0
                for member in tar:
                    if sub_name in member.name:
                        found += 1
                        name = f"{member.name} in {filename}"
                        yield from _samples(read_pickle(partial(tar.open, member), name), name)
            if not found:
                raise DataError(f"{filename} has no batch {sub_name!r}: it is another archive.")
            if not cycle:
                break

    return reader


def _samples(batch: Any, name: str) -> Iterator[Sample]:
    pixels = batch.get("data") if isinstance(batch, dict) else None
    if not isinstance(pixels, np.ndarray):
        raise DataError(f"{name} is not a batch of CIFAR: it has no array 'data'.")
    labels = batch.get("labels", batch.get("fine_labels"))
    if not isinstance(labels, list) or len(labels) != len(pixels):
        raise DataError(
            f"{name} is not a batch of CIFAR: it has no list 'labels' or 'fine_labels' of the "
            f"{len(pixels)} labels of its images."
        )
    for start in range(0, len(labels), _BLOCK):
        # in float64 first, as Paddle does: it rounds differently
        images_BD = (pixels[start : start + _BLOCK] / 255.0).astype(np.float32)
        yield from zip(images_BD, map(int, labels[start : start + _BLOCK]), strict=True)


def train100() -> Callable[[], Iterator[Sample]]:
    """Return a reader of CIFAR-100's training set; its archive is downloaded if need be.

    Same as Paddle 1.8.

    Returns:
        A reader of 50,000 samples (float32 [D] in [0, 1], int label from 0 to 99).

    Raises:
        DataError: the archive is not there and cannot be downloaded.
    """
    return reader_creator(common.download(CIFAR100_URL, "cifar", CIFAR100_MD5), "train")


def test100() -> Callable[[], Iterator[Sample]]:
    """Return a reader of CIFAR-100's test set: 10,000 samples; otherwise as `train100`."""
    return reader_creator(common.download(CIFAR100_URL, "cifar", CIFAR100_MD5), "test")


def train10(cycle: bool = False) -> Callable[[], Iterator[Sample]]:
    """Return a reader of CIFAR-10's training set; its archive is downloaded if need be.

    Same as Paddle 1.8.

    Args:
        cycle: begin again after the last sample, without end.

    Returns:
        A reader of 50,000 samples (float32 [D] in [0, 1], int label from 0 to 9).

    Raises:
        DataError: the archive is not there and cannot be downloaded.
    """
    path = common.download(CIFAR10_URL, "cifar", CIFAR10_MD5)
    return reader_creator(path, "data_batch", cycle=cycle)


def test10(cycle: bool = False) -> Callable[[], Iterator[Sample]]:
    """Return a reader of CIFAR-10's test set: 10,000 samples; otherwise as `train10`."""
    path = common.download(CIFAR10_URL, "cifar", CIFAR10_MD5)
    return reader_creator(path, "test_batch", cycle=cycle)


def fetch() -> None:
    """Download both archives, if need be. Same as Paddle 1.8."""
    common.download(CIFAR10_URL, "cifar", CIFAR10_MD5)
    common.download(CIFAR100_URL, "cifar", CIFAR100_MD5)
