"""WMT14 readers give Paddle's numbers, recorded from Paddle 1.8.5 on the same archive."""

from __future__ import annotations

import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import wmt14

SOURCE = ["<s>", "<e>", "<unk>", "un", "chat", "\xe9t\xe9"]
TARGET = ["<s>", "<e>", "<unk>", "a", "cat", "summer"]


@pytest.fixture
def archive(put, tar_of):
    longest = " ".join(["un"] * 78)
    train = f"un chat\ta cat\nl \xe9t\xe9\tthe summer\nno tab here\n{longest} un\ta\n{longest}\ta\n"
    members = [
        ("wmt14/src.dict", "".join(f"{word}\n" for word in SOURCE).encode()),
        ("wmt14/trg.dict", "".join(f"{word}\n" for word in TARGET).encode()),
        ("wmt14/train/train", train.encode()),
        ("wmt14/test/test", b"un\ta\n"),
        ("wmt14/gen/gen", b"chat un\tcat a\n"),
    ]
    put(wmt14, "MD5_TRAIN", "wmt14/wmt14.tgz", tar_of(members))


@pytest.mark.usefixtures("archive")
def test_samples_are_paddles():
    reader = wmt14.train(6)
    samples = [([0, 3, 4, 1], [0, 3, 4], [3, 4, 1]), ([0, 2, 5, 1], [0, 2, 5], [2, 5, 1])]
    # a sentence of 78 words and its two marks is the longest that is kept
    samples.append(([0, *[3] * 78, 1], [0, 3], [3, 1]))
    assert list(reader()) == list(reader()) == samples
    assert next(wmt14.train(4)()) == ([0, 3, 2, 1], [0, 3, 2], [3, 2, 1])
    assert list(wmt14.test(6)()) == [([0, 3, 1], [0, 3], [3, 1])]
    assert list(wmt14.gen(6)()) == [([0, 4, 3, 1], [0, 4, 3], [4, 3, 1])]


@pytest.mark.usefixtures("archive")
def test_dictionaries_are_paddles():
    assert wmt14.get_dict(6) == (dict(enumerate(SOURCE)), dict(enumerate(TARGET)))
    source, target = wmt14.get_dict(4, reverse=False)
    assert source == {"<s>": 0, "<e>": 1, "<unk>": 2, "un": 3}
    assert target == {"<s>": 0, "<e>": 1, "<unk>": 2, "a": 3}


@pytest.mark.usefixtures("archive")
def test_dictionary_without_marks_is_refused():
    with pytest.raises(DataError, match="`dict_size` 1 leaves"):
        list(wmt14.train(1)())


def test_archive_without_dictionaries_is_refused(put, tar_of):
    put(wmt14, "MD5_TRAIN", "wmt14/wmt14.tgz", tar_of([("train/train", b"a\tb")]))
    with pytest.raises(DataError, match=r"must have one file \*src.dict, but has 0"):
        wmt14.get_dict(4)
