"""CoNLL-2005's samples are Paddle's, recorded from Paddle 1.8.5 on the same archive."""

from __future__ import annotations

import gzip

import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import conll05

WORDS = b"The\ncat\nchased\nmice\n.\n\nIt\nran\n\nHe\nsaw\nit\nrun\n\n"
PROPS = (
    b"-\t(A0*\n-\t*)\nchase\t(V*)\n-\t(A1*)\n-\t*\n\n-\t*\nrun\t(V*)\n\n"
    b"-  (A0*)  (A0*)\nsee  (V*)  *\n-  (A1*  (A0*)\nrun  *)  (V*)\n\n"
)
FOLDER = "conll05st-release/test.wsj"


@pytest.fixture
def archive(put, tar_of):
    def write(words: bytes = WORDS, props: bytes = PROPS) -> None:
        members = [
            (f"{FOLDER}/words/test.wsj.words.gz", gzip.compress(words)),
            (f"{FOLDER}/props/test.wsj.props.gz", gzip.compress(props)),
        ]
        put(conll05, "DATA_MD5", "conll05st/conll05st-tests.tar.gz", tar_of(members))

    write()
    words = b"<unk>\nThe\ncat\nchased\nmice\nbos\neos\nIt\nHe\nsaw\nit\nrun\n"
    put(conll05, "WORDDICT_MD5", "conll05st/conll05st%2FwordDict.txt", words)
    put(conll05, "VERBDICT_MD5", "conll05st/conll05st%2FverbDict.txt", b"chase\nrun\n")
    labels = b"B-A0\nI-A0\nB-A1\nI-A1\nB-V\nO\n"
    put(conll05, "TRGDICT_MD5", "conll05st/conll05st%2FtargetDict.txt", labels)
    return write


def test_samples_are_paddles(archive):
    samples = [*zip(*conll05.test()(), strict=True)]
    *features, labels = samples
    assert features == [
        ([1, 2, 3, 4, 0], [7, 0], [8, 9, 10, 11], [8, 9, 10, 11]),
        ([1] * 5, [5, 5], [5] * 4, [9] * 4),
        ([2] * 5, [7, 7], [8] * 4, [10] * 4),
        ([3] * 5, [0, 0], [9] * 4, [11] * 4),
        ([4] * 5, [6, 6], [10] * 4, [6] * 4),
        ([0] * 5, [6, 6], [11] * 4, [6] * 4),
        ([0] * 5, [1, 1], [None] * 4, [1] * 4),
        ([1] * 5, [1, 1], [1] * 4, [0, 1, 1, 1]),
    ]
    # in Paddle the numbers of labels, though not the labels, are others in every run
    assert labels == ([0, 1, 4, 2, 6], [6, 4], [0, 4, 2, 3], [0, 6, 0, 4])


def test_dictionaries(archive):
    words, verbs, labels = conll05.get_dict()
    assert (len(words), words["run"], verbs) == (12, 11, {"chase": 0, "run": 1})
    # of tags and their order; Paddle has the same labels in an order of chance
    assert list(labels) == ["B-A0", "I-A0", "B-A1", "I-A1", "B-V", "I-V", "O"]
    assert list(labels.values()) == list(range(7))


def test_reader_without_a_dictionary_is_refused():
    with pytest.raises(TypeError, match="needs `word_dict`, `predicate_dict` and `label_dict`"):
        conll05.reader_creator(lambda: iter([]), {}, {})


def test_dictionary_that_is_no_text_is_named(archive, put):
    path = "conll05st/conll05st%2FverbDict.txt"
    put(conll05, "VERBDICT_MD5", path, b"\xff")
    with pytest.raises(DataError, match="verbDict.txt cannot be read"):
        conll05.get_dict()


def test_embedding_is_a_path(archive, put):
    path = put(conll05, "EMB_MD5", "conll05st/conll05st%2Femb", b"v")
    assert conll05.get_embedding() == str(path)


@pytest.mark.parametrize(
    ("props", "text"),
    [
        (b"- x\nrun (V*)\n\n", "unexpected label 'x'"),
        (b"- *\nrun\n\n", "differ in their columns"),
        (b"- *\n- (V*)\n\n", "has 1 columns for verbs"),
        (b"- *\nrun (A0*)\n\n", "have no verb, B-V"),
    ],
)
def test_malformed_labels_are_named(archive, props, text):
    archive(b"It\nran\n\n", props)
    with pytest.raises(DataError, match=text):
        list(conll05.test()())
