"""The segmented images of PASCAL VOC 2012 as readers.

Shapes: H, W of each image.
May import: numpy, refluid.errors, dataset.archive, dataset.common, dataset.picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from refluid.errors import DataError
from refluid.paddle.dataset import common
from refluid.paddle.dataset.archive import open_tar
from refluid.paddle.dataset.picture import opened

__all__ = ["test", "train", "val"]

VOC_URL = "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar"
VOC_MD5 = "6cd6e144f989b92b3379bac3b3de84fd"
SET_FILE = "VOCdevkit/VOC2012/ImageSets/Segmentation/{}.txt"
DATA_FILE = "VOCdevkit/VOC2012/JPEGImages/{}.jpg"
LABEL_FILE = "VOCdevkit/VOC2012/SegmentationClass/{}.png"

CACHE_DIR = "voc2012"

Sample = tuple[np.ndarray, np.ndarray]


def reader_creator(filename: str, sub_name: str) -> Callable[[], Iterator[Sample]]:
    """Make a reader of the images that a list in the archive names.

    Differs from Paddle, whose reader stops at the first name under Python 3.

    Args:
        filename: the archive.
        sub_name: name of the list: `trainval`, `train` or `val`.

    Returns:
        A reader of (uint8 [H, W, 3] in RGB, uint8 [H, W] of classes, 255 at borders).

    Raises:
        DataError: (while reading) the archive or an image is damaged or missing.
        ImportError: (while reading) Pillow is not installed.
    """

    def reader() -> Iterator[Sample]:
        with open_tar(filename) as tar:
            members = {member.name: member for member in tar}

            def read(name: str) -> bytes:
                if name not in members:
                    raise DataError(f"{filename} has no file {name!r}: it is another archive.")
                return tar.read(members[name])

            for name in read(SET_FILE.format(sub_name)).decode().split():
                yield (
                    _decoded(read(DATA_FILE.format(name)), name),
                    _decoded(read(LABEL_FILE.format(name)), name),
                )

    return reader


def _decoded(data: bytes, name: str) -> np.ndarray:
    with opened(data, f"the image {name!r}") as image:
        return np.array(image)


def train() -> Callable[[], Iterator[Sample]]:
    """Return a reader of 2,913 images, all that are segmented; `reader_creator` says of what.

    Same as Paddle 1.8.

    Raises:
        DataError: the archive is not there and cannot be downloaded.
    """
    return _reader("trainval")


def test() -> Callable[[], Iterator[Sample]]:
    """Return a reader of the 1,464 images for training; otherwise as `train`."""
    return _reader("train")


def val() -> Callable[[], Iterator[Sample]]:
    """Return a reader of the 1,449 images for validation; otherwise as `train`."""
    return _reader("val")


def _reader(sub_name: str) -> Callable[[], Iterator[Sample]]:
    return reader_creator(common.download(VOC_URL, CACHE_DIR, VOC_MD5), sub_name)
