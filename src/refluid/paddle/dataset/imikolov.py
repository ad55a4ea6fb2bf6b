"""The Penn Treebank, as T. Mikolov prepared it, as readers of word numbers.

Words are `bytes`, as in Paddle under Python 3; only the marks `'<s>'`, `'<e>'` and `'<unk>'` are
strings. The corpus has a word `b'<unk>'` of its own, which therefore is another one.
May import: refluid.errors, dataset.archive, dataset.common.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from refluid.errors import DataError
from refluid.paddle.dataset import common
from refluid.paddle.dataset.archive import open_tar

__all__ = ["build_dict", "test", "train"]

URL = "https://dataset.bj.bcebos.com/imikolov%2Fsimple-examples.tgz"
MD5 = "30177ea32e27c525793142b6bf2c8e2d"

_TRAIN = "./simple-examples/data/ptb.train.txt"
_VALID = "./simple-examples/data/ptb.valid.txt"

Dictionary = dict[bytes | str, int]


class DataType:
    """What a sample is: `NGRAM`, n words in a row, or `SEQ`, a sentence and what follows each word.

    Same as Paddle 1.8.
    """

    NGRAM = 1
    SEQ = 2


def word_count(f: Iterable[Any], word_freq: Dictionary | None = None) -> Dictionary:
    """Count the words of lines, and one `'<s>'` and one `'<e>'` for each line.

    Same as Paddle 1.8.

    Args:
        f: the lines.
        word_freq: counts to add to; by default new ones.
    """
    counts = defaultdict(int) if word_freq is None else word_freq
    for line in f:
        for word in (*line.strip().split(), "<s>", "<e>"):
            counts[word] += 1
    return counts


def build_dict(min_word_freq: int = 50) -> Dictionary:
    """Number the words that occur more than `min_word_freq` times, the most frequent first.

    Same as Paddle 1.8.

    Args:
        min_word_freq: a word that occurs so often or less in training and test set is left out.

    Returns:
        From words to numbers from 0; the last is that of `'<unk>'`.

    Raises:
        DataError: no word is left, or the archive is missing or damaged.
    """
    with open_tar(common.download(URL, "imikolov", MD5)) as tar:
        counts = word_count(tar.open(_VALID), word_count(tar.open(_TRAIN)))
    counts.pop("<unk>", None)
    kept = [(word, count) for word, count in counts.items() if count > min_word_freq]
    if not kept:
        raise DataError(f"no word of the corpus occurs more than {min_word_freq} times.")
    # Paddle stops where a word is as frequent as a mark, which it cannot compare with bytes
    kept.sort(key=lambda item: (-item[1], isinstance(item[0], str), item[0]))
    numbers = {word: number for number, (word, _) in enumerate(kept)}
    numbers["<unk>"] = len(numbers)
    return numbers


def reader_creator(
    filename: str, word_idx: Dictionary, n: int, data_type: int
) -> Callable[[], Iterator[Any]]:
    """Make a reader of one text of the archive.

    Same as Paddle 1.8.

    Args:
        filename: the text's name in the archive.
        word_idx: the dictionary.
        n: words in an n-gram; or the longest sentence, its `'<s>'` counted, 0 for any length.
        data_type: `DataType.NGRAM` or `DataType.SEQ`.

    Returns:
        A reader of tuples of n numbers, or of pairs of lists of numbers.

    Raises:
        AssertionError: (while reading) `n` or `data_type` is out of range.
        DataError: (while reading) the archive is missing or damaged.
    """

    def reader() -> Iterator[Any]:
        unknown = word_idx["<unk>"]
        assert data_type in (DataType.NGRAM, DataType.SEQ), (
            f"`data_type` must be DataType.NGRAM or DataType.SEQ, but received {data_type!r}."
        )
        assert data_type == DataType.SEQ or n > -1, f"`n` must be 0 or more, but received {n!r}."
        with open_tar(common.download(URL, "imikolov", MD5)) as tar:
            for line in tar.open(filename):
                words = line.strip().split()
                if data_type == DataType.SEQ:
                    numbers = [word_idx.get(word, unknown) for word in words]
                    if n <= 0 or len(numbers) < n:
                        yield [word_idx["<s>"], *numbers], [*numbers, word_idx["<e>"]]
                    continue
                numbers = [word_idx.get(word, unknown) for word in ("<s>", *words, "<e>")]
                for end in range(n, len(numbers) + 1):
                    yield tuple(numbers[end - n : end])

    return reader


def train(
    word_idx: Dictionary, n: int, data_type: int = DataType.NGRAM
) -> Callable[[], Iterator[Any]]:
    """Return a reader of the training set; see `reader_creator`. Same as Paddle 1.8."""
    return reader_creator(_TRAIN, word_idx, n, data_type)


def test(
    word_idx: Dictionary, n: int, data_type: int = DataType.NGRAM
) -> Callable[[], Iterator[Any]]:
    """Return a reader of the validation set; see `reader_creator`. Same as Paddle 1.8."""
    return reader_creator(_VALID, word_idx, n, data_type)


def fetch() -> None:
    """Download the archive, if need be. Same as Paddle 1.8."""
    common.download(URL, "imikolov", MD5)
