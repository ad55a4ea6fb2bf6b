"""The Boston housing data of UCI as readers: 13 features and the price of 506 districts.

Shapes: D = 13 features.
May import: numpy, refluid.errors, dataset.common; matplotlib within `feature_range`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from refluid.errors import DataError
from refluid.paddle.dataset import common

__all__ = ["test", "train"]

URL = "http://paddlemodels.bj.bcebos.com/uci_housing/housing.data"
MD5 = "d4accdce7a25600298819f8e28e8d593"
feature_names = [
    "CRIM",
    "ZN",
    "INDUS",
    "CHAS",
    "NOX",
    "RM",
    "AGE",
    "DIS",
    "RAD",
    "TAX",
    "PTRATIO",
    "B",
    "LSTAT",
]

UCI_TRAIN_DATA: np.ndarray | None = None
UCI_TEST_DATA: np.ndarray | None = None

Sample = tuple[np.ndarray, np.ndarray]


def feature_range(maximums: np.ndarray, minimums: np.ndarray) -> None:
    """Draw the range of each feature into image/ranges.png.

    Differs from Paddle: `load_data` does not call it.

    Args:
        maximums: [D].
        minimums: [D].

    Raises:
        ImportError: matplotlib is not installed.

    Effects:
        Writes the file, in the current folder.
    """
    from matplotlib.figure import Figure  # optional, and slow to load

    figure = Figure(figsize=(10, 6))
    axes = figure.add_subplot()
    axes.bar(range(len(maximums)), maximums - minimums, color="r", align="center")
    axes.set_title("feature scale")
    axes.set_xticks(range(len(maximums)), feature_names[: len(maximums)])
    axes.set_xlim(-1, len(maximums))
    Path("image").mkdir(exist_ok=True)
    figure.savefig("image/ranges.png", dpi=48)


def load_data(filename: str, feature_num: int = 14, ratio: float = 0.8) -> None:
    """Read the table and keep it, its features centered and scaled by their range.

    Differs from Paddle: no picture is drawn. What has been loaded is not loaded again.

    Args:
        filename: a text of numbers.
        feature_num: numbers in a row; the last is the price, which stays as it is.
        ratio: the part of the rows that is for training.

    Raises:
        DataError: the text is missing, or is no table of numbers of that width.

    Effects:
        Sets `UCI_TRAIN_DATA` and `UCI_TEST_DATA`.
    """
    global UCI_TRAIN_DATA, UCI_TEST_DATA
    if UCI_TRAIN_DATA is not None and UCI_TEST_DATA is not None:
        return
    try:
        values = np.array(Path(filename).read_bytes().split(), np.float64)
        data = values.reshape(-1, feature_num)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{filename} is not a table of {feature_num} numbers a row: {error}."
        ) from None
    if not len(data):
        raise DataError(f"{filename} is empty.")
    mean, low, high = data.sum(axis=0) / len(data), data.min(axis=0), data.max(axis=0)
    data[:, :-1] = (data[:, :-1] - mean[:-1]) / (high[:-1] - low[:-1])
    offset = int(len(data) * ratio)
    UCI_TRAIN_DATA, UCI_TEST_DATA = data[:offset], data[offset:]


def _loaded() -> tuple[np.ndarray, np.ndarray]:
    load_data(common.download(URL, "uci_housing", MD5))
    assert UCI_TRAIN_DATA is not None
    assert UCI_TEST_DATA is not None
    return UCI_TRAIN_DATA, UCI_TEST_DATA


def _reader(data: np.ndarray) -> Callable[[], Iterator[Sample]]:
    return lambda: ((row[:-1], row[-1:]) for row in data)


def train() -> Callable[[], Iterator[Sample]]:
    """Return a reader of the first four fifths; the file is downloaded if need be.

    Same as Paddle 1.8.

    Returns:
        A reader of 404 samples (float64 [D], float64 [1]).

    Raises:
        DataError: the file is not there and cannot be downloaded.
    """
    return _reader(_loaded()[0])


def test() -> Callable[[], Iterator[Sample]]:
    """Return a reader of the last fifth: 102 samples; otherwise as `train`."""
    return _reader(_loaded()[1])


def predict_reader() -> tuple[np.ndarray]:
    """Return the features of the first sample of the test set, in a tuple. Same as Paddle 1.8."""
    return (_loaded()[1][0][:-1],)


def fetch() -> None:
    """Download the file, if need be. Same as Paddle 1.8."""
    common.download(URL, "uci_housing", MD5)
