"""The 1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn.

Real data that needs no network. Who wrote which digit is not told, so the parts are drawn by
chance, always the same ones.
Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998.
May import: numpy, errors, data.dataset; scikit-learn when it is called.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from refluid.data.dataset import DataSet, LabeledImages
from refluid.errors import DataError

__all__ = ["load_digits"]

_NUM_IMAGES = 1797
_NUM_VALID = 180
_NUM_TEST = 360
_MAX_PIXEL = 16
_SEED = 0


def load_digits() -> DataSet:
    """Load scikit-learn's digits: 1,257 to train, 180 to validate, 360 to test.

    Returns:
        Images float32 [N, 1, 8, 8]: pixel / 16.

    Raises:
        DataError: scikit-learn is not installed, or its file holds something else.
    """
    try:
        # an extra, and slow to load
        from sklearn.datasets import load_digits as load_bunch
    except ImportError:
        raise DataError(
            "The bundled digits come with scikit-learn, which is not installed: "
            "pip install 'refluid[digits]', or train on a file of your own with --data."
        ) from None
    bunch: Any = load_bunch()  # its types tell only of what else it can return
    if bunch.images.shape != (_NUM_IMAGES, 8, 8) or bunch.target.shape != (_NUM_IMAGES,):
        raise DataError(
            f"scikit-learn's digits: expected {_NUM_IMAGES} images of 8x8 with a label each, but "
            f"there are images {bunch.images.shape} and labels {bunch.target.shape}."
        )
    # RandomState's numbers are the same in every version of numpy
    order = np.random.RandomState(_SEED).permutation(_NUM_IMAGES)
    test, valid, train = np.split(order, [_NUM_TEST, _NUM_TEST + _NUM_VALID])

    def part(index: NDArray[np.int64]) -> LabeledImages:
        images = (bunch.images[index] / _MAX_PIXEL).astype(np.float32)
        labels = bunch.target[index].astype(np.int64)
        return LabeledImages(images=images[:, None], labels=labels, source="scikit-learn's digits")

    return DataSet(
        name="scikit-learn's digits", train=part(train), valid=part(valid), test=part(test)
    )
