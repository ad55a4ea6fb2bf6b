"""scikit-learn's digits are always cut into the same three parts."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from refluid.data import load_digits


def test_parts_hold_every_digit_once():
    data = load_digits()
    parts = (data.train, data.valid, data.test)
    assert [len(part) for part in parts] == [1257, 180, 360]
    images = np.concatenate([part.images for part in parts])
    assert images.shape == (1797, 1, 8, 8)
    assert len(np.unique(images.reshape(1797, -1), axis=0)) == 1797
    assert (images.min(), images.max()) == (0, 1)
    labels = np.concatenate([part.labels for part in parts])
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_cut_is_the_same_in_every_version_of_numpy():
    assert load_digits().test.labels[:12].tolist() == [2, 8, 2, 6, 6, 7, 1, 9, 8, 5, 2, 8]


def test_without_scikit_learn_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from refluid import DataError\n"
        "from refluid.data import load_digits\n"
        "try: load_digits()\n"
        "except DataError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'refluid[digits]'" in done.stdout
