"""The housing data are Paddle's bit by bit; digests recorded from Paddle 1.8.5."""

from __future__ import annotations

import hashlib
import os

import numpy as np
import pytest

from refluid.errors import DataError
from refluid.paddle.dataset import uci_housing

# of features and price of each of 11 rows of random numbers
DIGESTS = """79a4b871d43d8c19 853a22812232ac44 f3a5eaaf546c0012 f2829bd9a2c08bf0
00c14383cca31264 a687491650d9425c fd11218d63b45cb3 189e42cdda39512d 735c3ab07657200e
bd2c300dcbfb9377 b317446cf635ac75 f69a7d74bc587671 fa583d69ad140f3f 3294f2ec027144b1
8be103efbae87e14 309a8722282691ae 734fc36a541241b9 204d25eb05b56643 06bbbead8d9f9cc4
826d4a7e76ae32b4 43544c357d2fbcf7 99918f99afbe1706""".split()


@pytest.fixture
def table(put, monkeypatch):
    monkeypatch.setattr(uci_housing, "UCI_TRAIN_DATA", None)
    monkeypatch.setattr(uci_housing, "UCI_TEST_DATA", None)

    def write(text: bytes) -> None:
        put(uci_housing, "MD5", "uci_housing/housing.data", text)

    rows = np.round(np.random.RandomState(3).rand(11, 14) * 50, 4)
    lines = (" ".join(f"{value:8.4f}" for value in row) for row in rows)
    write("\n".join(lines).encode() + b"\n")
    return write


def test_samples_are_paddles_bit_by_bit(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train, test = uci_housing.train(), uci_housing.test()
    samples = [*train(), *test()]
    digests = [hashlib.sha256(part.tobytes()).hexdigest()[:16] for row in samples for part in row]
    assert digests == DIGESTS
    assert (len(list(train())), len(list(test()))) == (8, 3)
    assert [(part.dtype, part.shape) for part in samples[0]] == [("f8", (13,)), ("f8", (1,))]
    assert uci_housing.predict_reader()[0].tobytes() == samples[8][0].tobytes()
    assert os.listdir(tmp_path) == ["home"]  # Paddle draws a picture here


def test_other_texts_are_refused(table):
    for text, said in ((b"1 2 3", "reshape"), (b"x " * 14, "float"), (b"", "is empty")):
        table(text)
        with pytest.raises(DataError, match=rf"housing.data .*{said}"):
            uci_housing.train()


def test_picture_of_ranges_is_drawn(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    uci_housing.feature_range(np.arange(13.0), np.zeros(13))
    assert (tmp_path / "image" / "ranges.png").read_bytes().startswith(b"\x89PNG")
