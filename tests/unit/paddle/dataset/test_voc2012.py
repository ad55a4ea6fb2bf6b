"""VOC's images come as Pillow decodes them, in the order of the archive's lists."""

from __future__ import annotations

import io

import numpy as np
import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import voc2012

Image = pytest.importorskip("PIL.Image")

COLORS = np.random.RandomState(0).randint(0, 256, (6, 8, 3)).astype(np.uint8)
CLASSES = np.arange(48, dtype=np.uint8).reshape(6, 8)


def encoded(pixels: np.ndarray) -> bytes:
    image = Image.fromarray(pixels)
    if pixels.ndim == 2:
        image.putpalette(list(range(256)) * 3)  # classes are colors of a palette
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def archive(put, tar_of):
    lists = {"trainval": "a_1\na_2\n", "train": "a_2\n", "val": "a_1\n", "other": "a_3\n"}
    members = [(voc2012.SET_FILE.format(n), text.encode()) for n, text in lists.items()]
    for k in (1, 2):
        members.append((voc2012.DATA_FILE.format(f"a_{k}"), encoded(COLORS + np.uint8(k))))
        members.append((voc2012.LABEL_FILE.format(f"a_{k}"), encoded(CLASSES + np.uint8(k))))
    members.append((voc2012.DATA_FILE.format("a_3"), b"no image"))
    path = "voc2012/VOCtrainval_11-May-2012.tar"
    return put(voc2012, "VOC_MD5", path, tar_of(members, "w"))


@pytest.mark.parametrize(("part", "numbers"), [("train", [1, 2]), ("test", [2]), ("val", [1])])
def test_images_and_classes_are_those_of_the_list(archive, part, numbers):
    reader = getattr(voc2012, part)()
    for _ in range(2):
        for (image, classes), k in zip(reader(), numbers, strict=True):
            assert (image.dtype, image.tolist()) == (np.uint8, (COLORS + np.uint8(k)).tolist())
            assert (classes.dtype, classes.tolist()) == (np.uint8, (CLASSES + k).tolist())


def test_damaged_images_and_missing_files_are_named(archive):
    with pytest.raises(DataError, match="the image 'a_3' cannot be decoded"):
        list(voc2012.reader_creator(str(archive), "other")())
    with pytest.raises(DataError, match="has no file '.*/none.txt'"):
        list(voc2012.reader_creator(str(archive), "none")())
