"""CIFAR readers give Paddle's numbers; the digests were recorded from Paddle 1.8.5."""

from __future__ import annotations

import hashlib
import itertools
import os
import pickle

import numpy as np
import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import cifar

LOADED_BY_A_PICKLE = "loaded-by-a-pickle"


def pixels(shift: int, n: int) -> np.ndarray:
    return (np.arange(n * 3072) * 7 + shift).astype(np.uint8).reshape(n, 3072)


def short(text: bytes) -> bytes:
    return b"U" + bytes([len(text)]) + text


def batch(images: np.ndarray, **lists: list[int]) -> bytes:
    """The pickle that Python 2 makes of a batch, as the real archives hold it."""
    shape = b"".join(b"M" + np.uint16(size).tobytes() for size in images.shape)
    items = b"".join(
        short(name.encode()) + b"](" + b"".join(b"K%c" % value for value in values) + b"e"
        for name, values in lists.items()
    )
    return (
        (b"\x80\x02}(" + items + short(b"data"))
        + b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        + (b"(K\x01" + shape + b"\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN")
        + b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + (b"T" + np.uint32(images.size).tobytes() + images.tobytes() + b"tbu.")
    )


@pytest.fixture
def ten(put, tar_of):
    members = [
        ("cifar-10-batches-py/data_batch_1", batch(pixels(0, 3), labels=[1, 2, 3])),
        ("cifar-10-batches-py/readme.html", b"x"),
        ("cifar-10-batches-py/data_batch_2", batch(pixels(9, 2), labels=[9, 0])),
        ("cifar-10-batches-py/test_batch", batch(pixels(5, 2), labels=[4, 5])),
    ]
    return put(cifar, "CIFAR10_MD5", "cifar/cifar-10-python.tar.gz", tar_of(members))


def described(samples) -> list[tuple[str, int]]:
    for image, label in samples:
        assert (image.dtype, image.shape, type(label)) == (np.float32, (3072,), int)
        yield hashlib.sha256(image.tobytes()).hexdigest()[:16], label


TRAIN10 = [
    ("1b2a1db745e52637", 1),
    ("1b2a1db745e52637", 2),
    ("1b2a1db745e52637", 3),
    ("2f905be47db1a668", 9),
    ("2f905be47db1a668", 0),
]


def test_ten_classes_are_paddles_bit_by_bit(ten):
    reader = cifar.train10()
    assert list(described(reader())) == list(described(reader())) == TRAIN10
    assert list(described(cifar.test10()())) == [("b67c20bc50348f72", 4), ("b67c20bc50348f72", 5)]


def test_cycle_begins_again(ten):
    samples = itertools.islice(cifar.train10(cycle=True)(), 7)
    assert list(described(samples)) == TRAIN10 + TRAIN10[:2]
    assert len(list(itertools.islice(cifar.test10(cycle=True)(), 5))) == 5


def test_hundred_classes_have_the_fine_labels(put, tar_of):
    members = [
        ("cifar-100-python/train", batch(pixels(1, 2), fine_labels=[99, 2], coarse_labels=[1, 1])),
        ("cifar-100-python/test", batch(pixels(2, 1), coarse_labels=[7], fine_labels=[50])),
    ]
    put(cifar, "CIFAR100_MD5", "cifar/cifar-100-python.tar.gz", tar_of(members))
    expected = [("9984a4097e90a5c1", 99), ("9984a4097e90a5c1", 2)]
    assert list(described(cifar.train100()())) == expected
    assert list(described(cifar.test100()())) == [("ca9a408f9ac8134e", 50)]


def test_more_images_than_a_block_keep_their_labels(put, tar_of):
    images = batch(pixels(0, 250), labels=[k % 10 for k in range(250)])
    put(cifar, "CIFAR10_MD5", "cifar/cifar-10-python.tar.gz", tar_of([("data_batch_1", images)]))
    samples = list(cifar.train10()())
    assert [label for _, label in samples] == [k % 10 for k in range(250)]
    expected = (pixels(0, 250) / 255.0).astype(np.float32)
    assert np.stack([image for image, _ in samples]).tobytes() == expected.tobytes()


class Hostile:
    def __reduce__(self):
        return os.mkdir, (LOADED_BY_A_PICKLE,)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (pickle.dumps(Hostile(), 2), "it refers to '.*mkdir'"),
        (b"\x80\x02}.", "it has no array 'data'"),
        (batch(pixels(0, 2), labels=[1]), "no list 'labels' or 'fine_labels' of the 2 labels"),
        (batch(pixels(0, 2)), "no list 'labels' or 'fine_labels' of the 2 labels"),
        (batch(pixels(0, 2), labels=[1, 2])[:-9], "it is cut off"),
    ],
    ids=["hostile", "empty", "too few labels", "no labels", "cut"],
)
def test_other_and_hostile_batches_are_refused(put, tar_of, tmp_path, monkeypatch, data, text):
    monkeypatch.chdir(tmp_path)
    archive = tar_of([("data_batch_1", data)])
    put(cifar, "CIFAR10_MD5", "cifar/cifar-10-python.tar.gz", archive)
    with pytest.raises(DataError, match=rf"data_batch_1 in .*cifar-10-python.tar.gz .*{text}"):
        list(cifar.train10()())
    assert not (tmp_path / LOADED_BY_A_PICKLE).exists()


def test_archive_without_batches_is_refused(ten):
    with pytest.raises(DataError, match="has no batch 'nothing'"):
        list(cifar.reader_creator(str(ten), "nothing", cycle=True)())
