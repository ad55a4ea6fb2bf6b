"""IMDB readers give Paddle's numbers, recorded from Paddle 1.8.5 on the same archive."""

from __future__ import annotations

import re

import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import imdb

ALL = re.compile(r"aclImdb/((train)|(test))/((pos)|(neg))/.*\.txt$")


@pytest.fixture(autouse=True)
def _archive(put, tar_of):
    reviews = [
        ("aclImdb/train/pos/0_9.txt", b"A Great, great film! It's great.\n"),
        ("aclImdb/train/pos/1_8.txt", b"good film\r\n"),
        ("aclImdb/train/neg/0_2.txt", b"a bad bad film -- \xc3\xa9t\xc3\xa9"),
        ("aclImdb/train/unsup/0_0.txt", b"great"),
        ("aclImdb/test/pos/0_10.txt", b"great story"),
        ("aclImdb/test/neg/0_1.txt", b"bad story, bad"),
    ]
    put(imdb, "MD5", "imdb/imdb%2FaclImdb_v1.tar.gz", tar_of(reviews))


def test_dictionary_and_samples_are_paddles():
    words = imdb.build_dict(ALL, 1)
    expected = {b"bad": 0, b"great": 1, b"film": 2, b"a": 3, b"story": 4, "<unk>": 5}
    assert list(words.items()) == list(expected.items())
    train = imdb.train(words)
    samples = [([3, 1, 1, 2, 5, 1], 0), ([5, 2], 0), ([3, 0, 0, 2, 5], 1)]
    assert list(train()) == list(train()) == samples
    assert list(imdb.test(words)()) == [([1, 4], 0), ([0, 4, 0], 1)]


def test_words_are_bytes_without_punctuation():
    words = [b"a", b"bad", b"bad", b"film", b"\xc3\xa9t\xc3\xa9"]
    assert list(imdb.tokenize(re.compile(".*train/neg"))) == [words]


def test_dictionary_without_words_is_refused():
    with pytest.raises(DataError, match="occurs more than 100 times"):
        imdb.build_dict(ALL, 100)
    with pytest.raises(DataError, match="occurs more than 150 times"):
        imdb.word_dict()
