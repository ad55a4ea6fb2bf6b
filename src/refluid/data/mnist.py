"""MNIST, from a folder of IDX files or from the course's `mnist.json.gz`.

Both give the same bytes: as in the course's file a pixel is its byte / 256, and the last 10,000 of
the 60,000 training images are there to validate with.
May import: numpy, errors, data.course_file, data.dataset, data.idx, data.stream.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from refluid.data.course_file import read_course_file
from refluid.data.dataset import DataSet, LabeledImages
from refluid.data.idx import read_idx
from refluid.data.stream import Progress
from refluid.errors import DataError

__all__ = ["load_mnist"]

_TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
_TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
# 10,000 of MNIST's 60,000
_VALID_SHARE = 6


def load_mnist(path: str | Path, progress: Progress | None = None) -> DataSet:
    """Load MNIST, or a data set of its form, from a folder or a file.

    Args:
        path: a folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
            `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each with or without `.gz`; or
            a file like the course's `mnist.json.gz`.
        progress: is told how much of a file has been read.

    Returns:
        Images float32 [N, 1, H, W], values in [0, 1]. Of a folder, the last sixth of the training
        images is the part to validate with.

    Raises:
        DataError: `path` or a file in it is missing, damaged, or of another kind.
    """
    path = Path(path)
    if path.is_dir():
        return _load_folder(path)
    if not path.exists():
        raise DataError(
            f"{path} does not exist: expected a folder with the four IDX files of MNIST, or the "
            "course's mnist.json.gz."
        )
    return read_course_file(path, progress)


def _load_folder(folder: Path) -> DataSet:
    files = {name: _find(folder, name) for name in _TRAIN + _TEST}
    found = {name: path for name, path in files.items() if path is not None}
    missing = [name for name in files if name not in found]
    if missing:
        raise DataError(
            f"{folder} has no {', no '.join(missing)}: expected the four IDX files of MNIST, "
            "each with or without .gz."
        )
    train = _read_pair(*(found[name] for name in _TRAIN))
    num_valid = len(train) // _VALID_SHARE
    if num_valid == 0:
        raise DataError(
            f"{train.source}: expected at least {_VALID_SHARE} images, of which the last sixth "
            f"is to validate with, but there are {len(train)}."
        )
    return DataSet(
        name=folder.resolve().name,
        train=_cut(train, slice(None, -num_valid)),
        valid=_cut(train, slice(-num_valid, None)),
        test=_read_pair(*(found[name] for name in _TEST)),
    )


def _find(folder: Path, name: str) -> Path | None:
    return next((p for p in (folder / f"{name}.gz", folder / name) if p.is_file()), None)


def _read_pair(images_path: Path, labels_path: Path) -> LabeledImages:
    pixels = read_idx(images_path, 3)
    labels = read_idx(labels_path, 1)
    images = pixels[:, None].astype(np.float32)
    images /= 256
    return LabeledImages(
        images=images,
        labels=labels.astype(np.int64),
        source=f"{images_path} and {labels_path.name}",
    )


def _cut(part: LabeledImages, index: slice) -> LabeledImages:
    return LabeledImages(images=part.images[index], labels=part.labels[index], source=part.source)
