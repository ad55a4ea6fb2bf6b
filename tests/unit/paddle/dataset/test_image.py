"""Images are prepared as Paddle 1.8.5 did with OpenCV 4.2, from which all digests were recorded."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import image
from refluid.paddle.dataset.archive import read_pickle

pytest.importorskip("PIL")

# 42 x 30 pixels
JPEG = base64.b64decode(
    """
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRk
xOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P
T09PT09PT09PT0//wAARCAAeACoDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAw
IEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdI
SUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1N
XW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcF
BAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1
RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX
2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDr4LlQvWo7q5Uqea5k6pt43VG2p7+N1YYnDOq7oyoP2O5NqbBs4r
lb6EsxxW+0vnUz7D5nauejhnSd2emsdGSsckLVt3SrItmwOK6VdJ77af8A2Z7V7dHGRhGxxVaXtHdHMz3jBjzSQXTM3Wq00eW6
1NaQ/MOavB8s1qXjqXY6HT8vjNdNZWoYDiuf0yMDFdXYnao4rTF0Y8uh4Sc4yJxZqF6VEbZc9KuNNhelVDNyeK+WruUZWR7uGq
rl1P/Z
"""
)
# 12 x 9 pixels
PNG = base64.b64decode(
    """
iVBORw0KGgoAAAANSUhEUgAAAAwAAAAJCAIAAACJ2loDAAAAwElEQVR42i2GS05DMRAE2/ZEEZCcmcOyZUUCyfP0hwVIVaUa7x
+f1/NxPR3XelzW44LvN9xffX/h/cyv83E7HbcJBAGS/PVf/A+QoCDHjhPbiEecyJHwxzQKFJYCOdKUhgnTaWUSgwhR6M5om7Y0
xaGOVzwVdNJQj8Kxk5aa7J7cQysaMWQzatRG4XlY7dpc3bMXOKBYsskUs/YoPJ5pqjbn3nMPdEBFJ3szRUyOws/DRU7OtTF2sI
musKwlL2ESv+3D1HybzCGWAAAAAElFTkSuQmCC
"""
)


def digest(array: np.ndarray) -> str:
    data = np.ascontiguousarray(array).tobytes()
    return f"{array.dtype}{list(array.shape)} {hashlib.sha256(data).hexdigest()[:16]}"


@pytest.fixture
def color() -> np.ndarray:
    return image.load_image_bytes(JPEG)


@pytest.fixture
def gray() -> np.ndarray:
    return image.load_image_bytes(JPEG, is_color=False)


@pytest.mark.parametrize(
    ("data", "is_color", "expected"),
    [
        (JPEG, True, "uint8[30, 42, 3] d6de91aff5b13549"),
        (JPEG, False, "uint8[30, 42] 07a66f3ac3ba16ac"),
        (PNG, True, "uint8[9, 12, 3] ba0945c1d9c4bc68"),
        (PNG, False, "uint8[9, 12] ba04db249a5a4ece"),
    ],
)
def test_decoded_bytes_are_opencvs(tmp_path, data, is_color, expected):
    assert digest(image.load_image_bytes(data, is_color)) == expected
    path = tmp_path / "image"
    path.write_bytes(data)
    assert digest(image.load_image(str(path), is_color)) == expected


def test_what_is_no_image_is_named(tmp_path):
    with pytest.raises(DataError, match=r"the image .*none.jpg cannot be read"):
        image.load_image(tmp_path / "none.jpg")
    for data in (b"", b"no image", JPEG[:200]):
        path = tmp_path / "bad.jpg"
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"bad.jpg cannot be decoded as an image"):
            image.load_image(path)


def test_image_of_sixteen_bits_is_refused():
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.arange(6, dtype=np.uint16).reshape(2, 3)).save(out, "PNG")
    with pytest.raises(DataError, match="mode is I;16"):
        image.load_image_bytes(out.getvalue())


def test_turned_photograph_is_put_upright():
    from PIL import Image

    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", exif=exif)
    turned = image.load_image_bytes(out.getvalue())
    assert turned[:, :, ::-1].tolist() == np.rot90(pixels, -1).tolist()


@pytest.mark.parametrize(
    ("size", "colored", "plain", "turned"),
    [
        (17, "[17, 23, 3] 82410c04015d3cad", "[17, 23] a6d1e34655793e51", "096665dfd959e3dc"),
        (30, "[30, 42, 3] d6de91aff5b13549", "[30, 42] 07a66f3ac3ba16ac", "3fd4a8361b3d8b16"),
        (47, "[47, 65, 3] 47c1fcf84689d9d1", "[47, 65] 1a2b529cf4fa62c4", "a21400a384182b8f"),
    ],
)
def test_resized_bytes_are_opencvs(color, gray, size, colored, plain, turned):
    assert digest(image.resize_short(color, size)) == f"uint8{colored}"
    assert digest(image.resize_short(gray, size)) == f"uint8{plain}"
    assert digest(image.resize_short(color.transpose(1, 0, 2), size)).endswith(turned)


def test_resized_numbers_are_opencvs(color):
    resized = image.resize_short(color.astype(np.float32), 17)
    assert (resized.dtype, resized.shape) == (np.float32, (17, 23, 3))
    # the sum that OpenCV gives
    assert float(resized.sum(dtype="f8")) == pytest.approx(146855.27925944328, abs=1e-3)
    assert digest(np.clip(np.rint(resized), 0, 255).astype(np.uint8)).startswith("uint8")
    assert np.abs(resized - image.resize_short(color, 17)).max() < 1.5


def test_prepared_images_are_paddles_with_its_draws(color, gray, tmp_path):
    np.random.seed(5)
    mean = [1.0, 2.0, 3.0]
    digests = [digest(image.simple_transform(color, 24, 16, True, mean=mean)) for _ in range(3)]
    assert digests == [
        "float32[3, 16, 16] 10c0b05343f4e16d",
        "float32[3, 16, 16] 4f23c7581af7ff38",
        "float32[3, 16, 16] 6ef379a84f9454c2",
    ]
    tested = image.simple_transform(color, 24, 16, False)
    assert digest(tested) == "float32[3, 16, 16] f8b3a721defc6e69"
    plain = image.simple_transform(gray, 24, 16, True, is_color=False, mean=np.arange(16))
    assert digest(plain) == "float32[16, 16] df63013d4acc98d0"
    (tmp_path / "x.png").write_bytes(PNG)
    loaded = image.load_and_transform(str(tmp_path / "x.png"), 24, 16, True)
    assert digest(loaded) == "float32[3, 16, 16] a09964816b13cf13"
    assert np.random.rand() == 0.8194727930524142


def test_cut_and_turned_images(color, gray):
    assert digest(image.to_chw(color)) == "uint8[3, 30, 42] f41b9a0e088cf476"
    assert digest(image.center_crop(color, 11)) == "uint8[11, 11, 3] 15a4c261efda4730"
    assert digest(image.center_crop(gray, 11, False)) == "uint8[11, 11] 0e83cc9853f6b651"
    assert digest(image.left_right_flip(color)) == "uint8[30, 42, 3] 55b60c2cd2f0ccb2"
    assert digest(image.left_right_flip(gray, False)) == "uint8[30, 42] 10de7ae0a83d71d8"


def test_wrong_arguments_are_named(color, gray):
    with pytest.raises(AssertionError, match=r"`order` must have 2 numbers"):
        image.to_chw(gray)
    for crop in (image.center_crop, image.random_crop):
        with pytest.raises(ValueError, match=r"`size` must be from 1 to .* is 31"):
            crop(color, 31)
        with pytest.raises(ValueError, match=r"unless `is_color` is False"):
            crop(gray, 3)
    with pytest.raises(ValueError, match=r"`size` must be at least 1, but received 0"):
        image.resize_short(color, 0)
    for im in (None, np.zeros(3), np.zeros((0, 3))):
        with pytest.raises(ValueError, match="`im` must be an image"):
            image.resize_short(im, 3)
    with pytest.raises(ValueError, match="`im` must be of uint8 or floating, but is of int64"):
        image.resize_short(np.zeros((3, 3), np.int64), 3)


# --- batches of images ----------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path, tar_of) -> str:
    path = tmp_path / "images.tgz"
    path.write_bytes(tar_of([(f"jpg/{k}.jpg", b"%d" % k) for k in (3, 1, 2, 5, 4)]))
    return str(path)


def contents(listing: str) -> list[dict]:
    paths = Path(listing).read_text().splitlines()
    return [read_pickle(lambda path=path: open(path, "rb"), path) for path in paths]


def test_images_are_collected_in_the_order_of_the_archive(archive):
    labels = {f"jpg/{k}.jpg": np.uint8(10 * k) for k in (1, 2, 3, 4)}
    listing = image.batch_images_from_tar(archive, "some", labels, num_per_batch=3)
    assert listing == f"{archive}_batch/some.txt"
    assert contents(listing) == [
        {"label": [30, 10, 20], "data": [b"3", b"1", b"2"]},
        {"label": [40], "data": [b"4"]},
    ]
    os.remove(archive)
    assert image.batch_images_from_tar(archive, "some", {}) == listing


def test_what_a_killed_process_left_is_not_taken_for_whole(archive):
    folder = Path(f"{archive}_batch", "some")
    folder.mkdir(parents=True)
    (folder / "batch_0").write_bytes(b"cut")
    listing = image.batch_images_from_tar(archive, "some", {"jpg/1.jpg": 1})
    assert contents(listing) == [{"label": [1], "data": [b"1"]}]


def test_selection_of_nothing_is_refused(archive):
    with pytest.raises(DataError, match="has none of the 1 images"):
        image.batch_images_from_tar(archive, "some", {"jpg/9.jpg": 1})
    with pytest.raises(ValueError, match="`num_per_batch` must be at least 1"):
        image.batch_images_from_tar(archive, "some", {}, 0)
    assert not os.path.exists(f"{archive}_batch/some.txt")
