"""The 102 flowers of Oxford as readers: photographs, resized and cropped to 224 x 224 pixels.

The images are collected once into files beside the archive, as Paddle does; those are pickles,
which are read without running anything in them.
Shapes: D = 3 * 224 * 224 values, the blue, the green and the red plane.
May import: refluid.errors, reader, dataset.archive, dataset.common, dataset.image; scipy where the
lists of images are read.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import partial
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np

from refluid.errors import DataError
from refluid.paddle.dataset import common
from refluid.paddle.dataset.archive import read_pickle
from refluid.paddle.dataset.image import (
    batch_images_from_tar,
    load_image_bytes,
    simple_transform,
)
from refluid.paddle.reader import map_readers, xmap_readers

__all__ = ["test", "train", "valid"]

DATA_URL = "http://paddlemodels.bj.bcebos.com/flowers/102flowers.tgz"
LABEL_URL = "http://paddlemodels.bj.bcebos.com/flowers/imagelabels.mat"
SETID_URL = "http://paddlemodels.bj.bcebos.com/flowers/setid.mat"
DATA_MD5 = "52808999861908f626f3c1f4e79d11fa"
LABEL_MD5 = "e0620be6f572b9609742df49c70aed4d"
SETID_MD5 = "a5357ecc9cb78c4bef273ce3793fc85c"
# the larger part, which its authors meant for testing, is what Paddle trains with
TRAIN_FLAG = "tstid"
TEST_FLAG = "trnid"
VALID_FLAG = "valid"

_MEAN = [103.94, 116.78, 123.68]
_MOST_THREADS = 4
_DAMAGE = (OSError, ValueError, TypeError, LookupError, NotImplementedError, zlib.error)

Sample = tuple[bytes, int]
Mapper = Callable[[Sample], Any]


def default_mapper(is_train: bool, sample: Sample) -> tuple[np.ndarray, int]:
    """Prepare one image: shorter side 256 pixels, a square of 224, the mean color subtracted.

    Same as Paddle 1.8.

    Args:
        is_train: cut anywhere and flip at random; if False, cut from the middle.
        sample: the image's file and its label.

    Returns:
        float32 [D], and the label.
    """
    data, label = sample
    image = simple_transform(load_image_bytes(data), 256, 224, is_train, mean=_MEAN)
    return image.flatten(), label


train_mapper = partial(default_mapper, True)
test_mapper = partial(default_mapper, False)


def reader_creator(
    data_file: str,
    label_file: str,
    setid_file: str,
    dataset_name: str,
    mapper: Mapper,
    buffered_size: int = 1024,
    use_xmap: bool = True,
    cycle: bool = False,
) -> Callable[[], Iterator[Any]]:
    """Make a reader of the images that a list names.

    Differs from Paddle: the order of the archive is kept, and a seeded run is repeated exactly.

    Args:
        data_file: the archive of images.
        label_file: MATLAB file of the labels of all images.
        setid_file: MATLAB file of the lists of images.
        dataset_name: which list: `tstid`, `trnid` or `valid`.
        mapper: called with (the image's file, label from 0).
        buffered_size: how many samples may wait for the consumer.
        use_xmap: call `mapper` in several threads, `train_mapper` in one; what another draws from
            `np.random` depends on their timing.
        cycle: begin again after the last sample, without end.

    Returns:
        A reader of what `mapper` returns.

    Raises:
        DataError: a file is missing, damaged or not of its kind.
        ImportError: SciPy is not installed.
    """
    labels = _row(label_file, "labels")
    label_of = {f"jpg/image_{n:05d}.jpg": labels[n - 1] for n in _row(setid_file, dataset_name)}
    listing = batch_images_from_tar(data_file, dataset_name, label_of)

    def reader() -> Iterator[Sample]:
        while True:
            for path in Path(listing).read_text(encoding="utf-8").splitlines():
                yield from _batch(path)
            if not cycle:
                break

    if not use_xmap:
        return map_readers(mapper, reader)
    # in one thread its draws come in the order of the images, so that a seeded run can be repeated
    num_threads = 1 if mapper is train_mapper else min(_MOST_THREADS, cpu_count() or 1)
    return xmap_readers(mapper, reader, num_threads, buffered_size)


def _batch(path: str) -> Iterator[Sample]:
    batch = read_pickle(partial(open, path, "rb"), path)
    if not isinstance(batch, dict) or not {"data", "label"} <= batch.keys():
        raise DataError(f"{path} holds no images; delete it and the list that names it.")
    for data, label in zip(batch["data"], batch["label"], strict=True):
        # Python 2's bytes are read as text
        yield data.encode("latin-1") if isinstance(data, str) else data, int(label) - 1


def _row(path: str, name: str) -> np.ndarray:
    """Return the first row of an array in a MATLAB file."""
    try:
        # optional, and slow to load
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ImportError:
        raise ImportError(
            "paddle.dataset.flowers reads MATLAB files with SciPy: pip install scipy."
        ) from None
    try:
        return loadmat(path)[name][0]
    except (*_DAMAGE, MatReadError) as error:
        raise DataError(f"{path} is not a MATLAB file with a table {name!r}: {error!r}.") from None


def train(
    mapper: Mapper = train_mapper,
    buffered_size: int = 1024,
    use_xmap: bool = True,
    cycle: bool = False,
) -> Callable[[], Iterator[Any]]:
    """Return a reader of the 6,149 images for training; the files are downloaded if need be.

    Same as Paddle 1.8; see `reader_creator`.

    Args:
        mapper: called with (the image's file, label from 0 to 101).
        buffered_size: how many samples may wait for the consumer.
        use_xmap: call `mapper` in several threads.
        cycle: begin again after the last sample, without end.

    Returns:
        A reader of what `mapper` returns, by default (float32 [D], int label).

    Raises:
        DataError: a file is not there and cannot be downloaded.
        ImportError: SciPy is not installed.
    """
    return _reader(TRAIN_FLAG, mapper, buffered_size, use_xmap, cycle)


def test(
    mapper: Mapper = test_mapper,
    buffered_size: int = 1024,
    use_xmap: bool = True,
    cycle: bool = False,
) -> Callable[[], Iterator[Any]]:
    """Return a reader of the 1,020 images for testing; otherwise as `train`."""
    return _reader(TEST_FLAG, mapper, buffered_size, use_xmap, cycle)


def valid(
    mapper: Mapper = test_mapper, buffered_size: int = 1024, use_xmap: bool = True
) -> Callable[[], Iterator[Any]]:
    """Return a reader of the 1,020 images for validation; otherwise as `train`."""
    return _reader(VALID_FLAG, mapper, buffered_size, use_xmap, False)


def _reader(
    flag: str, mapper: Mapper, buffered_size: int, use_xmap: bool, cycle: bool
) -> Callable[[], Iterator[Any]]:
    return reader_creator(*_files(), flag, mapper, buffered_size, use_xmap, cycle)


def _files() -> tuple[str, str, str]:
    return (
        common.download(DATA_URL, "flowers", DATA_MD5),
        common.download(LABEL_URL, "flowers", LABEL_MD5),
        common.download(SETID_URL, "flowers", SETID_MD5),
    )


def fetch() -> None:
    """Download all three files, if need be. Same as Paddle 1.8."""
    _files()
