"""An IDX file is read exactly as its header says, or one error says what is wrong with it."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from refluid.data.idx import read_idx
from refluid.errors import DataError


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_values_and_shape_are_those_of_the_file(tmp_path, digits, pack):
    path = tmp_path / "images"
    path.write_bytes(pack(digits.idx("train images")))
    array = read_idx(path, 3)
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array, digits.pixels[:12])


def broken_files(whole: bytes) -> dict[str, tuple[bytes, str]]:
    packed = gzip.compress(whole)
    huge = whole[:4] + struct.pack(">3I", 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF) + whole[16:]
    return {
        "empty": (b"", "begins with nothing"),
        "labels in place of images": (b"\0\0\x08\x01" + whole[4:], "begins with 00 00 08 01"),
        "floats in place of bytes": (b"\0\0\x0d\x03" + whole[4:], "begins with 00 00 0d 03"),
        "a web page": (b"<!doctype html>", "begins with 3c 21 64 6f"),
        "cut within the header": (whole[:9], "within its header"),
        "cut": (whole[:-5], "12 x 4 x 4 = 192 bytes, but only 187 follow"),
        "too long": (whole + b"\0", "192 bytes, but more follow"),
        "a header that promises far too much": (huge, "but only 192 follow"),
        "a gzip file cut": (gzip.compress(whole)[:-30], "damaged or cut off"),
        "a gzip file cut before its checksum": (packed[:-8], "damaged or cut off"),
        "a gzip file with a wrong checksum": (packed[:-8] + bytes(8), "damaged or cut off"),
        "a gzip file that is none": (packed[:2] + b"nonsense", "damaged or cut off"),
    }


@pytest.mark.parametrize("kind", broken_files(bytes(16)))
def test_broken_file_is_named_with_what_was_expected(tmp_path, digits, kind):
    data, expected = broken_files(digits.idx("train images"))[kind]
    path = tmp_path / "images"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)


def test_each_flipped_bit_of_a_compressed_file_is_noticed_or_harmless(tmp_path, digits):
    whole = gzip.compress(digits.idx("train images"), mtime=0)
    path = tmp_path / "images"
    for place in range(len(whole)):
        for bit in (1, 128):
            data = bytearray(whole)
            data[place] ^= bit
            path.write_bytes(bytes(data))
            try:
                array = read_idx(path, 3)
            except DataError:
                continue
            # such as the date in gzip's header
            np.testing.assert_array_equal(array, digits.pixels[:12])


def test_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"images cannot be read: No such file"):
        read_idx(tmp_path / "images", 3)
