"""IMDB as readers: 50,000 film reviews as word numbers, each praise (0) or blame (1).

Words are `bytes`, as in Paddle under Python 3; only `'<unk>'` is a string.
May import: refluid.errors, dataset.archive, dataset.common.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterator

from refluid.errors import DataError
from refluid.paddle.dataset import common
from refluid.paddle.dataset.archive import open_tar

__all__ = ["build_dict", "test", "train"]

URL = "https://dataset.bj.bcebos.com/imdb%2FaclImdb_v1.tar.gz"
MD5 = "7c2ac02c03563afcf9b574c7e56c153a"

_PUNCTUATION = string.punctuation.encode()

Sample = tuple[list[int], int]
Dictionary = dict[bytes | str, int]


def tokenize(pattern: re.Pattern[str]) -> Iterator[list[bytes]]:
    """Yield the words of each review whose path in the archive matches `pattern`.

    Same as Paddle 1.8: in lower case, and punctuation is left out without a trace.

    Args:
        pattern: matched against the beginning of the path.

    Raises:
        DataError: the archive is missing or damaged.
    """
    with open_tar(common.download(URL, "imdb", MD5)) as tar:
        for member in tar:
            if pattern.match(member.name):
                text = tar.read(member).rstrip(b"\n\r")
                yield text.translate(None, _PUNCTUATION).lower().split()


def build_dict(pattern: re.Pattern[str], cutoff: int) -> Dictionary:
    """Number the words that occur more than `cutoff` times, the most frequent first.

    Same as Paddle 1.8.

    Args:
        pattern: which reviews to count; see `tokenize`.
        cutoff: a word that occurs so often or less is left out.

    Returns:
        From words, as bytes, to numbers from 0; the last is that of `'<unk>'`.

    Raises:
        DataError: no word is left, or the archive is missing or damaged.
    """
    counts = Counter(word for words in tokenize(pattern) for word in words)
    kept = sorted((-count, word) for word, count in counts.items() if count > cutoff)
    if not kept:
        raise DataError(f"no word in {pattern.pattern!r} occurs more than {cutoff} times.")
    numbers: Dictionary = {word: number for number, (_, word) in enumerate(kept)}
    numbers["<unk>"] = len(numbers)
    return numbers


def reader_creator(
    pos_pattern: re.Pattern[str], neg_pattern: re.Pattern[str], word_idx: Dictionary
) -> Callable[[], Iterator[Sample]]:
    """Read the reviews that match now, and make a reader that gives them from memory.

    Same as Paddle 1.8.

    Args:
        pos_pattern: reviews that get the label 0.
        neg_pattern: reviews that get the label 1; they come after the others.
        word_idx: the dictionary; it must have `'<unk>'`.
    """
    unknown = word_idx["<unk>"]
    samples = [
        ([word_idx.get(word, unknown) for word in words], label)
        for label, pattern in enumerate((pos_pattern, neg_pattern))
        for words in tokenize(pattern)
    ]
    return lambda: iter(samples)


def train(word_idx: Dictionary) -> Callable[[], Iterator[Sample]]:
    """Return a reader of the training set; the archive is downloaded if need be.

    Same as Paddle 1.8. All reviews are read by this call and kept in memory.

    Args:
        word_idx: the dictionary, which `word_dict` makes.

    Returns:
        A reader of 25,000 samples (list of word numbers, label 0 or 1).

    Raises:
        DataError: the archive is not there and cannot be downloaded.
    """
    return _reader("train", word_idx)


def test(word_idx: Dictionary) -> Callable[[], Iterator[Sample]]:
    """Return a reader of the test set: 25,000 samples; otherwise as `train`."""
    return _reader("test", word_idx)


def _reader(part: str, word_idx: Dictionary) -> Callable[[], Iterator[Sample]]:
    pos, neg = (re.compile(rf"aclImdb/{part}/{kind}/.*\.txt$") for kind in ("pos", "neg"))
    return reader_creator(pos, neg, word_idx)


def word_dict() -> Dictionary:
    """Return the dictionary of the words that occur more than 150 times in all reviews.

    Same as Paddle 1.8.

    Raises:
        DataError: the archive is not there and cannot be downloaded.
    """
    return build_dict(re.compile(r"aclImdb/((train)|(test))/((pos)|(neg))/.*\.txt$"), 150)


def fetch() -> None:
    """Download the archive, if need be. Same as Paddle 1.8."""
    common.download(URL, "imdb", MD5)
