"""MNIST comes out of a folder of IDX files and of the course's file as the same bytes."""

from __future__ import annotations

import gzip
import re

import numpy as np
import pytest

from refluid.data import load_mnist
from refluid.errors import DataError

PARTS = ("train", "valid", "test")


def test_folder_and_course_file_give_the_same_bytes(tmp_path, digits):
    folder = load_mnist(digits.write_folder(tmp_path))
    file = load_mnist(digits.write_json(tmp_path / "mnist.json.gz"))
    assert folder.image_shape == file.image_shape == (1, 4, 4)
    assert [len(getattr(folder, part)) for part in PARTS] == [10, 2, 4]
    for part in PARTS:
        mine, other = getattr(folder, part), getattr(file, part)
        assert (mine.images.dtype, mine.labels.dtype) == (np.float32, np.int64)
        assert mine.images.tobytes() == other.images.tobytes()
        assert mine.labels.tobytes() == other.labels.tobytes()


def test_files_without_gz_are_found(tmp_path, digits):
    for path in digits.write_folder(tmp_path).iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert len(load_mnist(tmp_path).train) == 10


def test_all_missing_files_are_named_at_once(tmp_path, digits):
    digits.write_folder(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    (tmp_path / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(DataError) as caught:
        load_mnist(tmp_path)
    assert "has no train-labels-idx1-ubyte, no t10k-images-idx3-ubyte:" in str(caught.value)


def test_missing_path_says_what_may_be_there(tmp_path):
    with pytest.raises(DataError, match=r"nowhere does not exist: expected a folder .* or the"):
        load_mnist(tmp_path / "nowhere")


def test_images_without_as_many_labels_are_refused(tmp_path, digits):
    digits.write_folder(tmp_path)
    other = (tmp_path / "t10k-labels-idx1-ubyte.gz").read_bytes()
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(other)
    with pytest.raises(DataError, match=r"train-images.*12 images and 4 labels"):
        load_mnist(tmp_path)


def test_labels_that_are_no_digits_are_refused(tmp_path, digits):
    digits.labels[3] = 10
    with pytest.raises(DataError, match=r"labels from 0 to 9, but they go from 0 to 10"):
        load_mnist(digits.write_folder(tmp_path))


def test_test_images_of_another_size_are_refused(tmp_path, digits):
    digits.write_folder(tmp_path)
    array = np.zeros((4, 5, 5), np.uint8)
    data = b"\0\0\x08\x03" + np.array(array.shape, ">u4").tobytes() + array.tobytes()
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(data)
    with pytest.raises(DataError, match=r"t10k.*images of 4x4 as in .*, but they are 5x5"):
        load_mnist(tmp_path)


def test_folder_with_no_image_to_validate_with_is_refused(tmp_path, digits):
    digits.write_folder(tmp_path)
    data = b"\0\0\x08\x03" + np.array([1, 4, 4], ">u4").tobytes() + bytes(16)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(data)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(b"\0\0\x08\x01\0\0\0\x01\0")
    with pytest.raises(DataError, match=re.escape("expected at least 6 images")):
        load_mnist(tmp_path)
