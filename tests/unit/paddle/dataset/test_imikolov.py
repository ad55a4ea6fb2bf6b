"""The Penn Treebank's readers give Paddle's numbers, recorded from Paddle 1.8.5."""

from __future__ import annotations

import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import imikolov
from refluid.paddle.dataset.imikolov import DataType

WORDS = {b"the": 0, "<e>": 1, "<s>": 2, b"cat": 3, "<unk>": 4}


@pytest.fixture
def archive(put, tar_of):
    def write(train: bytes, valid: bytes) -> None:
        members = [
            ("./simple-examples/data/ptb.train.txt", train),
            ("./simple-examples/data/ptb.valid.txt", valid),
        ]
        put(imikolov, "MD5", "imikolov/imikolov%2Fsimple-examples.tgz", tar_of(members))

    write(
        b" the cat <unk> the dog \n a cat sat \n the the the the the\n",
        b" a cat ran the race\n <unk> dog\n",
    )
    return write


@pytest.mark.parametrize(
    ("least", "words"),
    [
        (1, [b"the", "<e>", "<s>", b"cat", b"<unk>", b"a", b"dog", "<unk>"]),
        (2, [b"the", "<e>", "<s>", b"cat", "<unk>"]),
        (3, [b"the", "<e>", "<s>", "<unk>"]),
    ],
)
def test_dictionary_is_paddles(archive, least, words):
    assert list(imikolov.build_dict(least)) == words
    assert imikolov.build_dict(least) == {word: k for k, word in enumerate(words)}


def test_word_as_frequent_as_a_mark_has_a_place(archive):
    archive(b"x y\n", b"")
    assert list(imikolov.build_dict(0)) == [b"x", b"y", "<e>", "<s>", "<unk>"]


def test_dictionary_without_words_is_refused(archive):
    with pytest.raises(DataError, match="occurs more than 50 times"):
        imikolov.build_dict()


def test_n_grams_are_paddles(archive):
    trigrams = [(2, 0, 3), (0, 3, 4), (3, 4, 0), (4, 0, 4), (0, 4, 1), (2, 4, 3), (4, 3, 4)]
    trigrams += [(3, 4, 1), (2, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 1)]
    reader = imikolov.train(WORDS, 3)
    assert list(reader()) == list(reader()) == trigrams
    assert list(imikolov.test(WORDS, 6)()) == [(2, 4, 3, 4, 0, 4), (4, 3, 4, 0, 4, 1)]
    assert list(imikolov.train(WORDS, 0)()) == [()] * 22


def test_sequences_are_paddles(archive):
    short = ([2, 4, 3, 4], [4, 3, 4, 1])
    first = ([2, 0, 3, 4, 0, 4], [0, 3, 4, 0, 4, 1])
    last = ([2, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1])
    assert list(imikolov.train(WORDS, 0, DataType.SEQ)()) == [first, short, last]
    assert list(imikolov.train(WORDS, 4, DataType.SEQ)()) == [short]
    assert list(imikolov.test(WORDS, 3, DataType.SEQ)()) == [([2, 4, 4], [4, 4, 1])]


def test_wrong_arguments_are_refused(archive):
    with pytest.raises(AssertionError, match=r"`n` must be 0 or more.*-1"):
        list(imikolov.train(WORDS, -1)())
    with pytest.raises(AssertionError, match=r"`data_type` must be.*3"):
        list(imikolov.train(WORDS, 2, 3)())


def test_word_count_adds_to_counts():
    counts = imikolov.word_count(["a b", "a"], imikolov.word_count(["b"]))
    assert counts == {"a": 2, "b": 2, "<s>": 3, "<e>": 3}
