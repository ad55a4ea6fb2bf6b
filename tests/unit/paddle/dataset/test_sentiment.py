"""NLTK's film reviews come without NLTK as Paddle 1.8.5 gives them with it."""

from __future__ import annotations

import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import sentiment

WORDS = "a bad , film ! good plot very \" . it ' s he said : no ... !?".split()


@pytest.fixture
def archive(put, zip_of):
    def write(members) -> None:
        put(sentiment, "MD5", "corpora/movie_reviews.zip", zip_of(members))

    write(
        [
            ("movie_reviews/README", b"x"),
            (
                "movie_reviews/neg/cv001_1.txt",
                b'bad film , very bad ! ! !\nhe said : " no . "\n',
            ),
            ("movie_reviews/neg/cv000_2.txt", b"it's a bad , bad plot\n"),
            ("movie_reviews/pos/cv000_3.txt", b"a good film , a very good film .\n"),
            ("movie_reviews/pos/cv001_4.txt", b"a plot ... good !?\n"),
        ]
    )
    return write


def test_words_and_samples_are_paddles(archive, monkeypatch):
    monkeypatch.setattr(sentiment, "NUM_TRAINING_INSTANCES", 3)
    assert sentiment.get_word_dict() == [(word, k) for k, word in enumerate(WORDS)]
    train = [
        ([10, 11, 12, 0, 1, 2, 1, 6], 0),
        ([0, 5, 3, 2, 0, 7, 5, 3, 9], 1),
        ([1, 3, 2, 7, 1, 4, 4, 4, 13, 14, 15, 8, 16, 9, 8], 0),
    ]
    assert list(sentiment.train()) == train
    assert list(sentiment.test()) == [([0, 6, 17, 5, 18], 1)]


def test_reviews_are_taken_in_turn(archive):
    names = ["neg/cv000_2.txt", "pos/cv000_3.txt", "neg/cv001_1.txt", "pos/cv001_4.txt"]
    assert sentiment.sort_files() == names


def test_nothing_is_unpacked(archive, home):
    sentiment.get_word_dict()
    assert [path.name for path in home.rglob("*")] == ["corpora", "movie_reviews.zip"]


def test_other_archive_is_refused(archive):
    archive([("reviews/neg/a.txt", b"x")])
    with pytest.raises(DataError, match="has no reviews in movie_reviews/"):
        sentiment.train()
