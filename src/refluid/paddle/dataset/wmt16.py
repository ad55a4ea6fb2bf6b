"""Multi30K of WMT16, English and German descriptions of images, as readers of word numbers.

The dictionaries are made of the training set when they are first needed, and kept beside the
archive as `en_SIZE.dict` and `de_SIZE.dict`, one word a line.
May import: refluid.checkpoint, dataset.archive, dataset.common.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from refluid.checkpoint.atomic import replacing
from refluid.paddle.dataset import common
from refluid.paddle.dataset.archive import open_tar

__all__ = ["fetch", "get_dict", "test", "train", "validation"]

DATA_URL = "http://paddlemodels.bj.bcebos.com/wmt/wmt16.tar.gz"
DATA_MD5 = "0c38be43600334966403524a40dcd81e"

TOTAL_EN_WORDS = 11250
TOTAL_DE_WORDS = 19220

START_MARK = "<s>"
END_MARK = "<e>"
UNK_MARK = "<unk>"

_MARKS = (START_MARK, END_MARK, UNK_MARK)
_LANGUAGES = ("en", "de")  # in the order of the columns
_TOTAL = {"en": TOTAL_EN_WORDS, "de": TOTAL_DE_WORDS}

Sample = tuple[list[int], list[int], list[int]]


def _pairs(tar_file: str, file_name: str) -> Iterator[list[list[str]]]:
    with open_tar(tar_file) as tar:
        for line in tar.open(file_name):
            columns = line.decode().strip().split("\t")
            if len(columns) == 2:
                yield [column.split() for column in columns]


def _words(tar_file: str, dict_size: int, lang: str) -> list[str]:
    """Return the words of a language by number, from the dictionary beside the archive."""
    path = os.path.join(common.DATA_HOME, "wmt16", f"{lang}_{dict_size}.dict")
    if os.path.exists(path):
        with open(path, "rb") as file:
            lines = file.readlines()
        if len(lines) == dict_size:
            return [line.strip().decode() for line in lines]
    column = _LANGUAGES.index(lang)
    counts = Counter(word for pair in _pairs(tar_file, "wmt16/train") for word in pair[column])
    # most_common keeps words of one frequency in the order of the corpus, as Paddle does
    words = [*_MARKS, *(word for word, _ in counts.most_common())][: max(dict_size, len(_MARKS))]
    with replacing(path) as file:
        file.writelines(f"{word}\n".encode() for word in words)
    return words


def _numbers(tar_file: str, dict_size: int, lang: str) -> dict[str, int]:
    return {word: number for number, word in enumerate(_words(tar_file, dict_size, lang))}


def reader_creator(
    tar_file: str, file_name: str, src_dict_size: int, trg_dict_size: int, src_lang: str
) -> Callable[[], Iterator[Sample]]:
    """Make a reader of one text of an archive.

    Differs from Paddle: a dictionary of fewer words than its three marks holds the marks.

    Args:
        tar_file: the archive.
        file_name: name of the text in it.
        src_dict_size: how many words of the source language are known, its marks counted.
        trg_dict_size: the same for the target language.
        src_lang: `en` or `de`; the other is the target.

    Returns:
        A reader of (source with `<s>` and `<e>`, target after `<s>`, target before `<e>`).

    Raises:
        DataError: (while reading) the archive is damaged or not of this kind.

    Effects:
        Reading may write the dictionaries into the cache folder.
    """
    column = _LANGUAGES.index(src_lang)

    def reader() -> Iterator[Sample]:
        src_dict = _numbers(tar_file, src_dict_size, src_lang)
        trg_dict = _numbers(tar_file, trg_dict_size, _LANGUAGES[1 - column])
        start, end, unknown = (src_dict[mark] for mark in _MARKS)
        for pair in _pairs(tar_file, file_name):
            source = [src_dict.get(word, unknown) for word in pair[column]]
            target = [trg_dict.get(word, unknown) for word in pair[1 - column]]
            yield [start, *source, end], [start, *target], [*target, end]

    return reader


def train(
    src_dict_size: int, trg_dict_size: int, src_lang: str = "en"
) -> Callable[[], Iterator[Sample]]:
    """Return a reader of the training set; the archive is downloaded if need be.

    Same as Paddle 1.8; see `reader_creator`.

    Args:
        src_dict_size: how many words of the source language are known, `<s>`, `<e>` and `<unk>`
            counted; no more than it has.
        trg_dict_size: the same for the target language.
        src_lang: `en` or `de`; the other is the target.

    Raises:
        DataError: the archive is not there and cannot be downloaded.
        ValueError: `src_lang` is another language.
    """
    return _reader("wmt16/train", src_dict_size, trg_dict_size, src_lang)


def test(
    src_dict_size: int, trg_dict_size: int, src_lang: str = "en"
) -> Callable[[], Iterator[Sample]]:
    """Return a reader of the test set; otherwise as `train`."""
    return _reader("wmt16/test", src_dict_size, trg_dict_size, src_lang)


def validation(
    src_dict_size: int, trg_dict_size: int, src_lang: str = "en"
) -> Callable[[], Iterator[Sample]]:
    """Return a reader of the validation set; otherwise as `train`."""
    return _reader("wmt16/val", src_dict_size, trg_dict_size, src_lang)


def _reader(
    file_name: str, src_dict_size: int, trg_dict_size: int, src_lang: str
) -> Callable[[], Iterator[Sample]]:
    _check_language("src_lang", src_lang)
    trg_lang = _LANGUAGES[1 - _LANGUAGES.index(src_lang)]
    return reader_creator(
        _archive(),
        file_name,
        min(src_dict_size, _TOTAL[src_lang]),
        min(trg_dict_size, _TOTAL[trg_lang]),
        src_lang,
    )


def get_dict(lang: str, dict_size: int, reverse: bool = False) -> dict[Any, Any]:
    """Return the dictionary of a language.

    Differs from Paddle: no reader has to be made before, and an unknown language is an error.

    Args:
        lang: `en` or `de`.
        dict_size: how many words are known, its marks counted; no more than the language has.
        reverse: from numbers to words; by default from words to numbers.

    Raises:
        DataError: the archive is not there and cannot be downloaded, or is damaged.
        ValueError: `lang` is another language.

    Effects:
        May write the dictionary into the cache folder.
    """
    _check_language("lang", lang)
    words = _words(_archive(), min(dict_size, _TOTAL[lang]), lang)
    if reverse:
        return dict(enumerate(words))
    return {word: number for number, word in enumerate(words)}


def _check_language(argument: str, lang: str) -> None:
    if lang not in _LANGUAGES:
        raise ValueError(
            f"`{argument}` must be 'en' (English) or 'de' (German), but received {lang!r}."
        )


def _archive() -> str:
    return common.download(DATA_URL, "wmt16", DATA_MD5, "wmt16.tar.gz")


def fetch() -> None:
    """Download the archive, if need be. Differs from Paddle, where this raises."""
    _archive()
