"""The course's JSON file is read as `json` reads it, or one error says what is wrong with it."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from refluid.data import course_file
from refluid.data.course_file import read_course_file
from refluid.errors import DataError


def write(path, text: str):
    path.write_text(text)
    return path


@pytest.mark.parametrize("layout", [{}, {"indent": 1}, {"separators": (",", ":")}])
@pytest.mark.parametrize("chunk_bytes", [7, 100, 1 << 22])
def test_numbers_are_those_that_json_reads(tmp_path, digits, monkeypatch, layout, chunk_bytes):
    monkeypatch.setattr(course_file, "_CHUNK_BYTES", chunk_bytes)
    path = write(tmp_path / "a.json", json.dumps(digits.sets(), **layout))
    data = read_course_file(path)
    for part, (rows, labels) in zip(
        (data.train, data.valid, data.test), digits.sets(), strict=True
    ):
        assert part.images.shape == (len(rows), 1, 4, 4)
        assert part.images.reshape(len(rows), -1).tolist() == np.float32(rows).tolist()
        assert part.labels.tolist() == labels


NUMBERS = ["0", "1", "0.0", "0.1", "0.30000000000000004", "1e-3", "0.99999999", "0.00390625"]


@pytest.mark.parametrize("number", [*NUMBERS, "0.123456789012345678901", "1E-40", "0.007"])
def test_every_way_to_write_a_number_is_rounded_as_json_does(tmp_path, number):
    text = f"[[[[{number}],[0.5]],[0,1]],[[[0]],[2]],[[[0]],[3]]]"
    data = read_course_file(write(tmp_path / "a.json", text))
    assert data.train.images.ravel().tolist() == np.float32([float(number), 0.5]).tolist()


def test_random_decimals_are_rounded_as_json_does(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        [round(float(v), int(k)) for v, k in zip(*pair, strict=True)]
        for pair in zip(rng.random((50, 9)), rng.integers(1, 17, (50, 9)), strict=True)
    ]
    sets = [[rows, [1] * 50], [rows[:1], [1]], [rows[:1], [1]]]
    data = read_course_file(write(tmp_path / "a.json", json.dumps(sets)))
    assert data.train.images.reshape(50, 9).tolist() == np.float32(rows).tolist()


def test_progress_ends_at_one(tmp_path, digits):
    told = []
    read_course_file(digits.write_json(tmp_path / "mnist.json.gz"), told.append)
    assert told == sorted(told)
    assert told[-1] == 1


ONE = "[[[0]],[2]]"
BROKEN = {
    "empty": ("", "expected '[[' for the train set, but found the end of the file"),
    "no JSON": ("hello", "expected '[[' for the train set, but found 'hello'"),
    "a dictionary": ('{"train": 1}', "'[[' for the train set"),
    "flat": ("[1,2,3]", "'[[' for the train set"),
    "one set": (f"[{ONE}]", "expected ',[' for the validation set, but found ']'"),
    "two sets": (f"[{ONE},{ONE}]", "for the test set"),
    "four sets": (f"[{ONE},{ONE},{ONE},{ONE}]", "the end of the list of sets"),
    "something behind it": (f"[{ONE},{ONE},{ONE}]]", "the end of the file, but found ']'"),
    "no labels": ("[[[[0]]],[[[0]]],[[[0]]]]", "the labels of the train set"),
    "no images": ("[[[],[]],[[],[]],[[],[]]]", "the images of the train set"),
    "empty images": ("[[[[]],[2]],[[[]],[2]],[[[]],[2]]]", "at least one image"),
    "no list of rows": ("[[[0,0],[1,2]]]", "the images of the train set"),
    "ragged": ("[[[[0],[0,0]],[1,2]]]", "as many numbers as the first"),
    "ragged, with the right sum": ("[[[[0,0],[0],[0,0,0]],[1,2,3]]]", "as many numbers"),
    "nested too deep": ("[[[[[0]]],[1]]]", "as many numbers as the first"),
    "text for a number": ('[[[["a"]],[1]]]', "as many numbers as the first"),
    "true for a number": ("[[[[true]],[1]]]", "as many numbers as the first"),
    "a number missing": ("[[[[0,,0,0]],[1]]]", "as many numbers as the first"),
    "two points": ("[[[[0.0.0]],[1]]]", "as many numbers as the first"),
    "not a number": (f"[[[[NaN]],[1]],{ONE},{ONE}]", "pixels from 0 to 1, but they go from nan"),
    "infinity": (f"[[[[1e999]],[1]],{ONE},{ONE}]", "but they go from inf to inf"),
    "bytes for pixels": (f"[[[[255]],[1]],{ONE},{ONE}]", "they go from 255.0 to 255.0"),
    "negative": (f"[[[[-0.5]],[1]],{ONE},{ONE}]", "they go from -0.5"),
    "a label with a fraction": (f"[[[[0]],[1.5]],{ONE},{ONE}]", "list of whole numbers"),
    "a huge label": (f"[[[[0]],[{'9' * 400}]],{ONE},{ONE}]", "list of whole numbers"),
    "an infinite label": (f"[[[[0]],[1e999]],{ONE},{ONE}]", "list of whole numbers"),
    "a label of ten": (f"[[[[0]],[10]],{ONE},{ONE}]", "labels from 0 to 9"),
    "fewer labels": (f"[[[[0],[0]],[1]],{ONE},{ONE}]", "2 images and 1 labels"),
    "not square": (f"[[[[0,0]],[1]],{ONE},{ONE}]", "square images"),
    "of two sizes": (f"[{ONE},{ONE},[[[0,0,0,0]],[1]]]", "images of 1x1 as in"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_file_is_named_with_what_was_expected(tmp_path, kind):
    text, expected = BROKEN[kind]
    path = write(tmp_path / "a.json", text)
    with pytest.raises(DataError) as caught:
        read_course_file(path)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)


def test_file_cut_anywhere_is_an_error(tmp_path, digits):
    whole = json.dumps(digits.sets())
    path = tmp_path / "a.json"
    for length in range(0, len(whole), 11):
        with pytest.raises(DataError, match=str(path)):
            read_course_file(write(path, whole[:length]))


def test_gzip_file_cut_is_an_error(tmp_path, digits):
    path = digits.write_json(tmp_path / "mnist.json.gz")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="damaged or cut off"):
        read_course_file(path)


def test_list_that_never_ends_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(course_file, "_CHUNK_BYTES", 1 << 10)
    monkeypatch.setattr(course_file, "_MAX_LIST_BYTES", 1 << 14)
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b"[[[[" + b"0" * (1 << 20)))
    with pytest.raises(DataError, match="at most 16384 bytes"):
        read_course_file(path)


def test_more_pixels_than_allowed_are_given_up(tmp_path, digits, monkeypatch):
    monkeypatch.setattr(course_file, "_MAX_PIXELS", 100)
    with pytest.raises(DataError, match="at most 100 pixels"):
        read_course_file(digits.write_json(tmp_path / "mnist.json.gz"))
