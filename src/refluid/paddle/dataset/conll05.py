"""CoNLL-2005's public test set, for semantic role labelling, as a reader.

Each sentence is there once for each of its verbs. Its labels come in columns of brackets, one for
each verb, as in `(A0* * *)`, and are turned into B-A0 I-A0 I-A0.
May import: refluid.errors, dataset.archive, dataset.common.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator

from refluid.errors import DataError
from refluid.paddle.dataset import common
from refluid.paddle.dataset.archive import damage_named, open_tar

__all__ = ["get_dict", "get_embedding", "test"]

DATA_URL = "http://paddlemodels.bj.bcebos.com/conll05st/conll05st-tests.tar.gz"
DATA_MD5 = "387719152ae52d60422c016e92a742fc"
WORDDICT_URL = "http://paddlemodels.bj.bcebos.com/conll05st%2FwordDict.txt"
WORDDICT_MD5 = "ea7fb7d4c75cc6254716f0177a506baa"
VERBDICT_URL = "http://paddlemodels.bj.bcebos.com/conll05st%2FverbDict.txt"
VERBDICT_MD5 = "0d2977293bbb6cbefab5b0f97db1e77c"
TRGDICT_URL = "http://paddlemodels.bj.bcebos.com/conll05st%2FtargetDict.txt"
TRGDICT_MD5 = "d8c7f03ceb5fc2e5a0fa7503a4353751"
EMB_URL = "http://paddlemodels.bj.bcebos.com/conll05st%2Femb"
EMB_MD5 = "bf436eb0faa1f6f9103017f8be57cdb7"

UNK_IDX = 0

Sentence = tuple[list[str], str, list[str]]


def load_label_dict(filename: str) -> dict[str, int]:
    """Number the labels: B- and I- of each tag, then O.

    Differs from Paddle: the tags are in the order of the file; Paddle's order is another in every
    run, unless PYTHONHASHSEED is set.

    Args:
        filename: a text with one label a line.
    """
    lines = _lines(filename)
    tags = dict.fromkeys(line[2:] for line in lines if line.startswith(("B-", "I-")))
    labels = [f"{kind}-{tag}" for tag in tags for kind in "BI"]
    return {label: number for number, label in enumerate([*labels, "O"])}


def load_dict(filename: str) -> dict[str, int]:
    """Number the lines of a text from 0. Same as Paddle 1.8."""
    return {line: number for number, line in enumerate(_lines(filename))}


def _lines(filename: str) -> list[str]:
    with damage_named(filename), open(filename, encoding="utf-8") as file:
        return [line.strip() for line in file]


def corpus_reader(
    data_path: str, words_name: str, props_name: str
) -> Callable[[], Iterator[Sentence]]:
    """Make a reader of sentences, each once for each of its verbs.

    Same as Paddle 1.8.

    Args:
        data_path: the archive.
        words_name: name of the gzipped text of words in it.
        props_name: name of the gzipped text of labels in it.

    Returns:
        A reader of (words, verb, labels).

    Raises:
        DataError: (while reading) the archive is damaged or not of this kind.
    """

    def reader() -> Iterator[Sentence]:
        with (
            open_tar(data_path) as tar,
            gzip.open(tar.open(words_name)) as words,
            gzip.open(tar.open(props_name)) as props,
        ):
            sentence: list[str] = []
            rows: list[list[str]] = []
            for word, prop in zip(words, props, strict=False):
                row = prop.decode().split()
                if row:
                    sentence.append(word.strip().decode())
                    rows.append(row)
                    continue
                yield from _by_verb(sentence, rows, f"{props_name} in {data_path}")
                sentence, rows = [], []

    return reader


def _by_verb(sentence: list[str], rows: list[list[str]], name: str) -> Iterator[Sentence]:
    try:
        columns = [list(column) for column in zip(*rows, strict=True)]
    except ValueError:
        raise DataError(f"{name}: the lines of {sentence} differ in their columns.") from None
    verbs = [verb for verb in columns[0] if verb != "-"] if columns else []
    if len(verbs) < len(columns) - 1:
        raise DataError(f"{name}: {sentence} has {len(columns) - 1} columns for verbs {verbs}.")
    for verb, column in zip(verbs, columns[1:], strict=False):
        yield sentence, verb, _labels(column, name)


def _labels(column: Iterable[str], name: str) -> list[str]:
    """Turn brackets into labels: B- where one opens, I- within it, O outside."""
    labels, tag, inside = [], "O", False
    for mark in column:
        if "(" in mark:
            tag, inside = mark[1 : mark.find("*")], ")" not in mark
            labels.append(f"B-{tag}")
        elif mark == "*)" or (mark == "*" and inside):
            inside = inside and mark == "*"
            labels.append(f"I-{tag}")
        elif mark == "*":
            labels.append("O")
        else:
            raise DataError(f"{name}: unexpected label {mark!r}.")
    return labels


def reader_creator(
    corpus_reader: Callable[[], Iterable[Sentence]],
    word_dict: dict[str, int] | None = None,
    predicate_dict: dict[str, int] | None = None,
    label_dict: dict[str, int] | None = None,
) -> Callable[[], Iterator[tuple[list[int | None], ...]]]:
    """Make a reader of numbers out of a reader of sentences.

    Same as Paddle 1.8, whose reader too needs all three dictionaries.

    Args:
        corpus_reader: gives (words, verb, labels).
        word_dict: numbers of words; an unknown one gets 0.
        predicate_dict: numbers of verbs; an unknown one gets None.
        label_dict: numbers of labels; an unknown one gets None.

    Returns:
        A reader of nine lists as long as the sentence: the words; the word two before the verb,
        before it, the verb's own, after it, two after it, each repeated; the verb, repeated; 1 at
        those five places, else 0; the labels.

    Raises:
        DataError: (while reading) a sentence has no label B-V.
        TypeError: a dictionary is not given.
    """
    if word_dict is None or predicate_dict is None or label_dict is None:
        raise TypeError(
            "reader_creator needs `word_dict`, `predicate_dict` and `label_dict`; get_dict() "
            "returns them."
        )

    def reader() -> Iterator[tuple[list[int | None], ...]]:
        for sentence, predicate, labels in corpus_reader():
            if "B-V" not in labels:
                raise DataError(f"the labels {labels} of {sentence} have no verb, B-V.")
            length = len(sentence)
            center = labels.index("B-V")
            places = range(center - 2, center + 3)
            context = [
                "bos" if place < 0 else "eos" if place >= length else sentence[place]
                for place in places
            ]
            yield (
                [word_dict.get(word, UNK_IDX) for word in sentence],
                *([word_dict.get(word, UNK_IDX)] * length for word in context),
                [predicate_dict.get(predicate)] * length,
                [int(place in places) for place in range(length)],
                [label_dict.get(label) for label in labels],
            )

    return reader


def get_dict() -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Return the numbers of words, of verbs and of labels; their files are downloaded if need be.

    Same as Paddle 1.8, but for the order of labels, see `load_label_dict`.

    Raises:
        DataError: a file is not there and cannot be downloaded.
    """
    return (
        load_dict(common.download(WORDDICT_URL, "conll05st", WORDDICT_MD5)),
        load_dict(common.download(VERBDICT_URL, "conll05st", VERBDICT_MD5)),
        load_label_dict(common.download(TRGDICT_URL, "conll05st", TRGDICT_MD5)),
    )


def get_embedding() -> str:
    """Return the path of word vectors learnt from Wikipedia. Same as Paddle 1.8."""
    return common.download(EMB_URL, "conll05st", EMB_MD5)


def test() -> Callable[[], Iterator[tuple[list[int | None], ...]]]:
    """Return a reader of the test set, which is the only part that is free.

    Same as Paddle 1.8; see `reader_creator` for its samples.

    Raises:
        DataError: a file is not there and cannot be downloaded.
    """
    word_dict, verb_dict, label_dict = get_dict()
    corpus = corpus_reader(
        common.download(DATA_URL, "conll05st", DATA_MD5),
        words_name="conll05st-release/test.wsj/words/test.wsj.words.gz",
        props_name="conll05st-release/test.wsj/props/test.wsj.props.gz",
    )
    return reader_creator(corpus, word_dict, verb_dict, label_dict)


def fetch() -> None:
    """Download all files, if need be. Same as Paddle 1.8."""
    get_dict()
    get_embedding()
    common.download(DATA_URL, "conll05st", DATA_MD5)
