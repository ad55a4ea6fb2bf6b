"""MQ2007's samples are Paddle's; digests recorded from Paddle 1.8.5."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import mq2007
from refluid.paddle.dataset.mq2007 import Query, QueryList


def line(mark: int, query: int, seed: int) -> str:
    features = " ".join(f"{k + 1}:{(seed * 31 + k * 17) % 100 / 128:.6f}" for k in range(46))
    return f"{mark} qid:{query} {features} #docid = GX{seed} inc = 1 prob = 0.5\n"


ROWS = [(0, 10, 1), (2, 10, 2), (1, 10, 3), (1, 10, 4), (0, 11, 5), (0, 11, 6), (0, 18, 7)]
ROWS.append((1, 18, 8))


@pytest.fixture
def folder(home):
    path = home / "MQ2007/MQ2007/MQ2007/Fold1"
    path.mkdir(parents=True)
    (path / "train.txt").write_text("".join(line(*row) for row in ROWS))
    (path / "test.txt").write_text(line(1, 5, 9) + line(0, 5, 1))
    return path


def shown(sample) -> tuple:
    return tuple(
        f"{part.dtype}{list(part.shape)} {hashlib.sha256(part.tobytes()).hexdigest()[:16]}"
        if isinstance(part, np.ndarray)
        else part
        for part in sample
    )


def test_pairs_are_paddles(folder):
    a, b, c, d = "c403ec537152808c c73326a00c134584 ba08c610df06ed46 26b5264613b15ab3".split()
    pairs = [(a, b), (a, c), (a, d), (b, d), (c, d), ("4379a25c4c24f5b2", "900cb61c91716e99")]
    one = "int64[1] 7c9fa136d4413fa6"
    expected = [(one, f"float64[46] {x}", f"float64[46] {y}") for x, y in pairs]
    assert [shown(sample) for sample in mq2007.train()] == expected
    assert [shown(sample) for sample in mq2007.test(format="pairwise")] == [
        (one, "float64[46] 32e1adf8586ee3a1", "float64[46] 26b5264613b15ab3")
    ]


def test_other_formats_are_paddles(folder):
    assert [shown(sample) for sample in mq2007.train(format="listwise")] == [
        ("int64[4, 1] a33f2f050c810ebe", "float64[4, 46] 1185712a6173b286"),
        ("int64[2, 1] 4cbbd8ca5215b8d1", "float64[2, 46] 64cc13ed6737903e"),
    ]
    best = ["float64[46] c403ec537152808c", "float64[46] 4379a25c4c24f5b2"]
    points = [shown(sample) for sample in mq2007.train(format="pointwise")]
    assert points == [(2, best[0]), (1, best[1])]
    texts = [shown(sample) for sample in mq2007.train(format="plain_txt")]
    assert texts == [(10, 2, best[0]), (18, 1, best[1])]


def test_unknown_format_is_refused(folder):
    with pytest.raises(ValueError, match=r"`format` must be one of .* 'pairs'"):
        list(mq2007.train(format="pairs"))


def test_all_documents_come_best_first():
    queries = [Query(3, mark, [float(mark)]) for mark in (0, 2, 1)]
    assert [mark for _, mark, _ in mq2007.gen_plain_txt(queries)] == [2, 1, 0]
    assert [mark for mark, _ in mq2007.gen_point(queries)] == [2, 1, 0]
    assert str(queries[1]) == "2 3 2.0"
    assert [len(QueryList(queries)), QueryList(queries)[0].relevance_score] == [3, 0]


def test_list_of_two_queries_is_refused():
    with pytest.raises(ValueError, match="must have one id, but received 4 after 3"):
        QueryList([Query(3), Query(4)])


@pytest.mark.parametrize("text", ["1 qid:1 1:0.5 # x", line(1, 1, 1).replace("3:", "3;")])
def test_malformed_lines_are_named(folder, text):
    (folder / "train.txt").write_text(line(1, 1, 1) + text)
    with pytest.raises(DataError, match=r"Fold1/train.txt, line 2: "):
        list(mq2007.train())


def test_damaged_archive_is_named(put):
    pytest.importorskip("rarfile")
    put(mq2007, "MD5", "MQ2007/7b6dbbe2-842c-11e4-a536-bcaec51b9163_MQ2007.rar", b"no archive")
    with pytest.raises(DataError, match=r"MQ2007.rar cannot be read: .* Unpack it in its folder"):
        list(mq2007.train())
