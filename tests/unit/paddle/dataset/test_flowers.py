"""The flowers are selected, labelled and ordered as Paddle 1.8.5 does."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import flowers

savemat = pytest.importorskip("scipy.io").savemat
Image = pytest.importorskip("PIL.Image")


def table(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    savemat(out, arrays)
    return out.getvalue()


def photograph(number: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((30, 40, 3), 50 * number, np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def files(put, tar_of):
    images = [(f"jpg/image_{k:05d}.jpg", photograph(k)) for k in (3, 1, 2, 4, 5)]
    put(flowers, "DATA_MD5", "flowers/102flowers.tgz", tar_of(images))
    labels = table(labels=np.array([[7, 1, 102, 5, 6]], np.uint8))
    put(flowers, "LABEL_MD5", "flowers/imagelabels.mat", labels)
    lists = {"tstid": [[1, 3, 4]], "trnid": [[2]], "valid": [[5]]}
    lists = table(**{name: np.array(numbers, np.uint16) for name, numbers in lists.items()})
    put(flowers, "SETID_MD5", "flowers/setid.mat", lists)


def itself(sample):
    return sample


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("use_xmap", [False, True])
def test_lists_labels_and_order_are_paddles(use_xmap):
    expected = {"train": [(3, 101), (1, 6), (4, 4)], "test": [(2, 0)], "valid": [(5, 5)]}
    for part, samples in expected.items():
        reader = getattr(flowers, part)(mapper=itself, use_xmap=use_xmap)
        for _ in range(2):
            assert list(reader()) == [(photograph(k), label) for k, label in samples]


@pytest.mark.usefixtures("files")
def test_images_are_prepared_as_paddle_does():
    np.random.seed(0)
    # the mean color is subtracted from blue, green and red
    for reader, gray in ((flowers.test(), 100), (flowers.train(use_xmap=False), 150)):
        pixels, label = next(reader())
        assert (pixels.dtype, pixels.shape, type(label)) == (np.float32, (3 * 224 * 224,), int)
        planes = pixels.reshape(3, -1)
        assert np.ptp(planes, axis=1).tolist() == [0, 0, 0]
        expected = np.float32(gray) - np.array([103.94, 116.78, 123.68], np.float32)
        assert planes[:, 0].tolist() == expected.tolist()
    assert flowers.train_mapper((photograph(1), 4))[1] == 4


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("use_xmap", [False, True])
def test_seeded_training_images_are_the_same_in_every_run(put, tar_of, use_xmap):
    noise = np.random.RandomState(0).randint(0, 256, (5, 60, 70, 3)).astype(np.uint8)
    images = []
    for k, pixels in enumerate(noise, 1):
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "PNG")
        images.append((f"jpg/image_{k:05d}.jpg", out.getvalue()))
    put(flowers, "DATA_MD5", "flowers/102flowers.tgz", tar_of(images))
    np.random.seed(4)
    first = [(pixels.tobytes(), label) for pixels, label in flowers.train(use_xmap=False)()]
    np.random.seed(4)
    again = [(pixels.tobytes(), label) for pixels, label in flowers.train(use_xmap=use_xmap)()]
    assert first == again
    after = np.random.rand()
    np.random.seed(4)
    for _ in range(3):  # what Paddle draws for each of the three: top, left, flip
        np.random.randint(0, 256 - 224 + 1)
        np.random.randint(0, 256 * 70 // 60 - 224 + 1)
        np.random.randint(2)
    assert after == np.random.rand()


@pytest.mark.usefixtures("files")
def test_cycle_begins_again():
    reader = flowers.train(mapper=itself, use_xmap=False, cycle=True)
    labels = [label for _, label in itertools.islice(reader(), 5)]
    assert labels == [101, 6, 4, 101, 6]


def test_files_of_python_2_are_read(files, home):
    listing = Path(home, "flowers/102flowers.tgz_batch/trnid.txt")
    listing.parent.mkdir(parents=True)
    old = listing.with_name("batch_0")
    # two bytes of a str, and a label
    old.write_bytes(b"\x80\x02}(U\x04data](U\x02\xff\xd8eU\x05label](K\x03eu.")
    listing.write_text(f"{old}\n")
    assert list(flowers.test(mapper=itself)()) == [(b"\xff\xd8", 2)]
    old.write_bytes(b"\x80\x02].")
    with pytest.raises(DataError, match="batch_0 holds no images; delete it"):
        list(flowers.test(mapper=itself)())


def test_other_tables_are_refused(files, put):
    for data in (b"x", b"", table(other=np.zeros((1, 3)))):
        put(flowers, "LABEL_MD5", "flowers/imagelabels.mat", data)
        with pytest.raises(DataError, match="imagelabels.mat is not a MATLAB file with a table"):
            flowers.train()
