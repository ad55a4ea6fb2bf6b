"""MNIST readers give Paddle's numbers, bit by bit, and say which file is at fault."""

from __future__ import annotations

import gzip
import hashlib
import struct

import numpy as np
import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import common, mnist


def write(path, magic: int, shape: tuple[int, ...], data: bytes) -> str:
    header = struct.pack(f">{1 + len(shape)}I", magic, *shape)
    path.write_bytes(gzip.compress(header + data, 1))
    return str(path)


def pair(folder, n: int) -> tuple[str, str]:
    pixels = bytes(k % 256 for k in range(n * 784))
    images = write(folder / "images.gz", 2051, (n, 28, 28), pixels)
    return images, write(folder / "labels.gz", 2049, (n,), bytes(k % 10 for k in range(n)))


def test_samples_are_paddles_bit_by_bit(tmp_path):
    items = list(mnist.reader_creator(*pair(tmp_path, 200), 100)())
    images = np.stack([image for image, _ in items])
    # recorded from Paddle 1.8.5 on the same two files
    assert (
        hashlib.sha256(images.tobytes()).hexdigest()
        == "276f63aafcd2f9b445c2de9468bd458cfd62343a082f297172294af2319c7515"
    )
    image, label = items[3]
    assert (type(items[3]), image.dtype, image.shape) == (tuple, np.float32, (784,))
    assert (type(label), label) == (int, 3)
    assert (images.min(), images.max(), float(items[0][0][51])) == (-1, 1, -0.6000000238418579)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_blocks_of_any_size_give_the_same(tmp_path, block):
    files = pair(tmp_path, 20)
    expected = list(mnist.reader_creator(*files, 20)())
    for (a, x), (b, y) in zip(mnist.reader_creator(*files, block)(), expected, strict=True):
        assert a.tobytes() == b.tobytes()
        assert x == y


def test_train_and_test_come_through_download_and_can_be_read_again(tmp_path, monkeypatch):
    images, labels = pair(tmp_path, 4)
    asked = []

    def download(url: str, module_name: str, md5sum: str, save_name: str | None = None) -> str:
        asked.append((url.rsplit("/", 1)[1], module_name, md5sum))
        return images if "images" in url else labels

    monkeypatch.setattr(common, "download", download)
    reader = mnist.train()
    assert asked == [
        ("train-images-idx3-ubyte.gz", "mnist", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "mnist", "d53e105ee54ea40749a09fcbcd1e9432"),
    ]
    assert len(list(reader())) == len(list(reader())) == 4
    mnist.test()
    assert asked[2:] == [
        ("t10k-images-idx3-ubyte.gz", "mnist", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "mnist", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    del asked[:]
    mnist.fetch()
    assert len(asked) == 4


def test_files_packed_anew_are_known_by_their_content():
    assert {mnist.TRAIN_IMAGE_MD5, mnist.TEST_LABEL_MD5} <= common.CONTENT_MD5.keys()


def read(images: str, labels: str) -> None:
    list(mnist.reader_creator(images, labels, 100)())


def test_damaged_and_swapped_files_are_named(tmp_path):
    images, labels = pair(tmp_path, 2)
    with pytest.raises(DataError, match=r"labels.gz is not an IDX file of images"):
        read(labels, images)
    cut = write(tmp_path / "cut.gz", 2051, (2, 28, 28), bytes(1000))
    with pytest.raises(DataError, match=r"cut.gz is not whole"):
        read(cut, labels)
    with open(images, "r+b") as file:
        file.truncate(40)
    with pytest.raises(DataError, match=r"images.gz"):
        read(images, labels)
    with pytest.raises(DataError, match=r"none.gz"):
        read(str(tmp_path / "none.gz"), labels)


def test_other_numbers_of_images_and_labels_are_refused(tmp_path):
    images, _ = pair(tmp_path, 2)
    labels = write(tmp_path / "three.gz", 2049, (3,), bytes(3))
    with pytest.raises(DataError, match=r"images.gz has 2 images, but .*three.gz has 3 labels"):
        read(images, labels)
