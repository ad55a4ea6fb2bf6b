"""NLTK's film reviews as samples of word numbers: 1,600 to train with, 400 to test with.

The archive is read directly; NLTK is not needed. Its rule for words is a run of letters, digits and
underscores, or a run of other signs.
May import: refluid.errors, dataset.archive, dataset.common.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from refluid.errors import DataError
from refluid.paddle.dataset import common
from refluid.paddle.dataset.archive import damage_named

__all__ = ["get_word_dict", "test", "train"]

URL = "https://corpora.bj.bcebos.com/movie_reviews%2Fmovie_reviews.zip"
MD5 = "155de2b77c6834dd8eea7cbe88e93acb"
NUM_TRAINING_INSTANCES = 1600
NUM_TOTAL_INSTANCES = 2000

_FOLDER = "movie_reviews/"
_REVIEW = re.compile(_FOLDER + r"(neg|pos)/[^/.][^/]*\.txt")
_WORD = re.compile(r"\w+|[^\w\s]+")

Sample = tuple[list[int], int]


def download_data_if_not_yet() -> str:
    """Return the archive's path; download it if need be.

    Differs from Paddle: it is not unpacked.

    Raises:
        DataError: it is not there and cannot be downloaded.
    """
    return common.download(URL, "corpora", MD5, "movie_reviews.zip")


def _reviews() -> dict[str, list[str]]:
    """Return the words of each review by its name in the archive, sorted: blame, then praise."""
    path = download_data_if_not_yet()
    with damage_named(path), zipfile.ZipFile(path) as package:
        names = sorted(name for name in package.namelist() if _REVIEW.fullmatch(name))
        if not names:
            raise DataError(f"{path} has no reviews in {_FOLDER}: it is another archive.")
        return {
            name.removeprefix(_FOLDER): _WORD.findall(package.read(name).decode("ascii"))
            for name in names
        }


def _dictionary(reviews: dict[str, list[str]]) -> list[tuple[str, int]]:
    # most_common keeps words of one frequency in the order of the corpus, as Paddle does
    counts = Counter(chain.from_iterable(reviews.values()))
    return [(word, number) for number, (word, _) in enumerate(counts.most_common())]


def get_word_dict() -> list[tuple[str, int]]:
    """Return (word, number) of every word, the most frequent first.

    Same as Paddle 1.8.

    Raises:
        DataError: the archive is not there and cannot be downloaded, or is damaged.
    """
    return _dictionary(_reviews())


def _in_turn(names: Iterable[str]) -> list[str]:
    both = [[name for name in names if name.startswith(kind)] for kind in ("neg", "pos")]
    return list(chain.from_iterable(zip(*both, strict=False)))


def sort_files() -> list[str]:
    """Return the reviews' names, one of blame and one of praise in turn. Same as Paddle 1.8."""
    return _in_turn(_reviews())


def load_sentiment_data() -> list[Sample]:
    """Return all samples, (word numbers, 0 for blame or 1 for praise), in turn.

    Same as Paddle 1.8.

    Raises:
        DataError: the archive is not there and cannot be downloaded, or is damaged.
    """
    reviews = _reviews()
    numbers = dict(_dictionary(reviews))
    return [
        ([numbers[word.lower()] for word in reviews[name]], 0 if "neg" in name else 1)
        for name in _in_turn(reviews)
    ]


def reader_creator(data: Iterable[Sample]) -> Iterator[Sample]:
    """Yield the samples. Same as Paddle 1.8."""
    yield from data


def train() -> Iterator[Sample]:
    """Yield the first 1,600 samples; this function itself is the reader.

    Same as Paddle 1.8.

    Returns:
        An iterator over (list of word numbers, 0 for blame or 1 for praise).

    Raises:
        DataError: the archive is not there and cannot be downloaded, or is damaged.
    """
    return reader_creator(load_sentiment_data()[:NUM_TRAINING_INSTANCES])


def test() -> Iterator[Sample]:
    """Yield the other 400 samples; otherwise as `train`."""
    return reader_creator(load_sentiment_data()[NUM_TRAINING_INSTANCES:])


def fetch() -> None:
    """Download the archive, if need be. Differs from Paddle: not through NLTK."""
    download_data_if_not_yet()
