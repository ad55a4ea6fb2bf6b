from __future__ import annotations

import pickle
import pickletools

import numpy as np
import pytest

from refluid.checkpoint.pickle_objects import ELEMENT_TYPES
from refluid.checkpoint.pickle_writer import dump


def written(value) -> bytes:
    return b"".join(dump(value, "`state`")) + b"."


def read_again(value):
    return pickle.loads(written(value))


def test_only_opcodes_of_protocol_2_are_used():
    value = {"w": np.ones((2, 3)), "x": [1, (2**40, -1, 300), None, True, 0.5, b"\xff", ""]}
    opcodes = [opcode for opcode, _, _ in pickletools.genops(written(value))]
    assert max(opcode.proto for opcode in opcodes) == 2


def test_arrays_have_the_names_of_numpy_1():
    names = {
        arg
        for _, arg, _ in pickletools.genops(written([np.ones(2), np.float32(1)]))
        if isinstance(arg, str) and " " in arg
    }
    assert names == {
        "numpy.core.multiarray _reconstruct",
        "numpy.core.multiarray scalar",
        "numpy ndarray",
        "numpy dtype",
        "_codecs encode",
    }


@pytest.mark.parametrize("code", sorted(ELEMENT_TYPES))
def test_pickle_reads_every_element_type(code):
    array = np.arange(256, dtype="u1").view("u1" if code == "b1" else code)
    array = array % 2 == 1 if code == "b1" else array
    read = read_again(array)
    assert read.dtype == array.dtype
    assert read.tobytes() == array.tobytes()


@pytest.mark.parametrize(
    "array",
    [
        np.array(3.5),
        np.zeros((2, 0, 3), "f4"),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(20, dtype="i8")[::-3],
        np.broadcast_to(np.float32(2), (3, 2)),
        np.arange(4, dtype=">f4"),
        np.array([np.nan, np.inf, -0.0]),
    ],
    ids=["0-d", "empty", "fortran", "strided", "broadcast", "big-endian", "special"],
)
def test_arrays_of_every_layout_keep_their_values(array):
    read = read_again(array)
    assert read.shape == array.shape
    assert read.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(read, array)
    np.testing.assert_array_equal(np.signbit(read), np.signbit(array))


def test_an_array_larger_than_one_piece_keeps_its_bytes():
    array = np.random.default_rng(0).integers(0, 256, 3_000_001, "u1")
    assert read_again(array).tobytes() == array.tobytes()


def test_subclasses_of_array_become_plain_arrays():
    class Named(np.ndarray):
        pass

    assert type(read_again(np.ones(3).view(Named))) is np.ndarray


VALUES = [
    *(0, 255, 256, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63, -(2**200)),
    *(True, None, 0.1, float("-inf"), "", "\u7b2c\U0001f600", b"", bytes(range(256))),
    *([], (), {}, [[1], (2, {"a": 3})], np.float64(0.1), np.int32(-5), np.bool_(True)),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_as_they_were(value):
    read = read_again(value)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {1, 2}}, r"`state`\['a'\] is a set; a checkpoint holds arrays"),
        ({"a": [0, object()]}, r"`state`\['a'\]\[1\] is a object"),
        ({"a": np.array([None])}, r"`state`\['a'\] is an array of object"),
        ({"a": np.array(["x"])}, r"`state`\['a'\] is an array of str"),
        ({"a": np.zeros(1, "f4,i4")}, r"`state`\['a'\] is an array of"),
        ({"a": {3: 1}}, r"`state`\['a'\] has the key 3, a int"),
    ],
)
def test_what_a_checkpoint_does_not_hold_is_refused_with_its_place(value, message):
    with pytest.raises(TypeError, match=message):
        written(value)


def test_a_list_that_holds_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(ValueError, match="nested deeper than 32 levels"):
        written(value)


def test_an_integer_that_the_format_cannot_hold_is_refused():
    with pytest.raises(ValueError, match=r"`state` is an integer of 256 bytes"):
        written(2**2040)
