from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import tracemalloc
from collections import OrderedDict

import numpy as np
import pytest

from refluid.checkpoint.pickle_reader import load
from refluid.errors import CheckpointError


def read(content: bytes):
    return load(io.BytesIO(content), len(content))


def refusal(content: bytes) -> str:
    with pytest.raises(CheckpointError) as caught:
        read(content)
    return str(caught.value)


class Calls:
    """An object whose pickle calls a function."""

    def __init__(self, function, *args) -> None:
        self._call = function, args

    def __reduce__(self):
        return self._call


# --- what would run -----------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("function", "args", "name"),
    [
        (os.system, ("echo > {}",), "posix.system"),
        (subprocess.check_output, ("echo > {}",), "subprocess.check_output"),
        (eval, ("open({!r}, 'w')",), ".eval"),
        (exec, ("open({!r}, 'w')",), ".exec"),
        (open, ("{}", "w"), ".open"),
        (getattr, (str, "join"), ".getattr"),
        (np.load, ("{}",), "numpy.load"),
        (np.fromfile, ("{}",), "fromfile"),
        (np.array, ([1],), "array"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_function_is_refused_by_its_name_and_not_called(tmp_path, protocol, function, args, name):
    trace = tmp_path / "trace"
    args = [a.format(str(trace)) if isinstance(a, str) else a for a in args]
    message = refusal(pickle.dumps(Calls(function, *args), protocol, fix_imports=False))
    assert f"{name}'" in message
    assert "nothing of it was run" in message
    assert not trace.exists()


def test_a_call_by_the_opcode_inst_is_refused_by_name():
    assert "'posix.system'" in refusal(b"(S'true'\niposix\nsystem\n.".replace(b"S'true'\n", b"N"))


@pytest.mark.parametrize(
    "value",
    [np.array([{}], object), np.zeros(2, "f4,i4"), np.array(["x"]), np.array(["2020"], "M8[D]")],
    ids=["object", "structure", "text", "date"],
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_arrays_of_anything_but_numbers_are_refused(value, protocol):
    message = refusal(pickle.dumps({"w": value}, protocol))
    assert "element type" in message or "structures" in message


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (np.ma.zeros(2), "numpy.ma"),
        (np.random.RandomState(0), "numpy.random"),
        ({1, 2}, "builtins.set"),
        (np.float32, "numpy.float32"),
        (complex(1, 2), "builtins.complex"),
        (CheckpointError, "refluid.errors.CheckpointError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_classes_are_refused(value, name):
    assert f"refers to '{name}" in refusal(pickle.dumps({"w": value}, 2, fix_imports=False))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x80\x02cnumpy\nndarray\n)R.", "calls a numpy.ndarray"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "opcode NEWOBJ"),
        (b"\x80\x02cnumpy\nndarray\n.", "holds numpy.ndarray as a value"),
        (b"\x80\x02cnumpy\ndtype\nX\x02\0\0\0f4\x85R.", "holds ElementType as a value"),
        (b"\x80\x02X\x01\0\0\0a)R.", "calls a str"),
        (b"\x80\x02}}b.", "gives a state to a dict"),
        (b"\x80\x02P0\n.", "opcode PERSID"),
        (b"\x80\x02NQ.", "opcode BINPERSID"),
        (b"\x80\x02\x82\x01.", "opcode EXT1"),
        (b"\x80\x05\x97.", "opcode NEXT_BUFFER"),
        (b"\x80\x02c__builtin__\nbytes\nK\x05\x85R.", "bytes() is called with arguments"),
        (b"\x80\x02c_codecs\nencode\nX\x01\0\0\0aX\x04\0\0\0zlib\x86R.", "other than bytes"),
        (b"\x80\x02ccollections\nOrderedDict\n]N\x86R.", "OrderedDict is malformed"),
        (b"\x80\x02ccollections\nOrderedDict\n](K\x01e\x85R.", "OrderedDict is malformed"),
        (b"\x80\x02N0N.", "drops a value"),
        (b"\x80\x02N2\x86.", "0x32 stands where an opcode is due"),
        (b"\x80\x06N.", "pickle protocol 6"),
    ],
)
def test_opcodes_used_for_anything_else_are_refused(content, reason):
    assert reason in refusal(content)


# --- what would use up memory or time -----------------------------------------------------------


def text(value: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value


ENCODE = b"c_codecs\nencode\n"
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85" + text(b"b") + b"tR"
FLOAT32 = b"cnumpy\ndtype\n" + text(b"f4") + b"\x89\x88\x87R"
KILOBYTES = 100 * 1024


def array_of(shape: bytes, data: bytes) -> bytes:
    return b"\x80\x02" + ARRAY + b"(K\x01" + shape + FLOAT32 + b"\x89" + data + b"tb."


MEMORY = {
    "text of 4 GB": (b"\x80\x02X\xff\xff\xff\xffabc.", "it is cut off: 4294967295 more bytes"),
    "bytes of 4 EB": (b"\x80\x04\x8e" + b"\0" * 7 + b"\x40abc.", "it is cut off"),
    "frame of 16 EB": (b"\x80\x04\x95" + b"\xff" * 8 + b"N.", "it is cut off"),
    "array of 4 EB": (
        array_of(b"J\0\0\0\x40J\0\0\0\x40\x86", b"C\x04abcd"),
        "takes 4611686018427387904 bytes, but 4 are there",
    ),
    "empty but huge array": (
        array_of(b"J\0\0\0\x40J\0\0\0\x40K\x00\x87", b"C\x00"),
        "of an empty array is too large",
    ),
    "one text encoded often": (
        b"\x80\x02(" + text(b"a" * KILOBYTES) + b"q\x00"
        + (ENCODE + b"h\x00" + text(b"latin1") + b"\x86R") * 2000 + b"t.",
        "more bytes of arrays than the file has",
    ),
    "one text in many arrays": (
        b"\x80\x02(" + text(b"a" * KILOBYTES) + b"q\x00"
        + (ARRAY + b"(K\x01J" + struct.pack("<i", KILOBYTES // 4) + b"\x85" + FLOAT32
           + b"\x89h\x00tb") * 2000 + b"t.",
        "more bytes of arrays than the file has",
    ),
    "30 doublings of a list": (
        b"\x80\x02]" + b"q\x00h\x00\x86" * 30 + b".",
        "it repeats its own parts",
    ),
}  # fmt: skip

TIME = {
    "deep list": (b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".", "nested deeper than 32"),
    "deep tuple": (b"\x80\x02N" + b"\x85" * 100_000 + b".", "nested deeper than 32"),
    "deep tuple as a key": (b"\x80\x02}N" + b"\x85" * 100_000 + b"Ns.", "key is a tuple"),
    "list in itself": (b"\x80\x02]q\x00h\x00a.", "nested deeper than 32"),
    "dictionary in itself": (b"\x80\x02}q\x00" + text(b"k") + b"h\x00s.", "nested deeper than 32"),
    "tuple in its own list": (b"\x80\x02]q\x00h\x00\x85a.", "nested deeper than 32"),
    "shared below the limit": (
        b"\x80\x02]" + b"\x85" * 20 + b"q\x00h\x00" + b"\x85" * 20 + b"\x86.",
        "nested deeper than 32",
    ),
    "number as a key": (b"\x80\x02}K\x01Ns.", "key is a int"),
    "endless name": (b"\x80\x02c" + b"a" * 1_000_000, "a name in it does not end"),
    "endless integer": (b"\x80\x02I" + b"9" * 1_000_000 + b"\n.", "a name in it does not end"),
    "more than a million steps": (b"\x80\x02" + b"N\x85" * 500_001, "more than 1000000 steps"),
    "marks without end": (b"\x80\x02" + b"(" * 100_000 + b".", "it ends before its parts"),
}

MALFORMED = {
    "negative size": (
        array_of(b"J\xff\xff\xff\xffJ\xfc\xff\xff\xff\x86", b"C\x04abcd"),
        "not a tuple of sizes",
    ),
    "number as a shape": (array_of(b"K\x01", b"C\x04abcd"), "not a tuple of sizes"),
    "33 dimensions": (array_of(b"(" + b"K\x01" * 33 + b"t", b"C\x04abcd"), "not a tuple of sizes"),
    "size of 255 bytes": (
        array_of(b"\x8a\xff" + b"\x7f" * 255 + b"\x85", b"C\x04abcd"),
        "not a tuple of sizes",
    ),
    "too few bytes": (
        array_of(b"K\x02K\x03\x86", b"C\x04abcd"),
        "of shape [2, 3] and type float32 takes 24 bytes, but 4 are there",
    ),
    "text as contents": (
        array_of(b"K\x01\x85", text("\u7b2c".encode())),
        "the contents of an array are text",
    ),
    "list as contents": (array_of(b"K\x01\x85", b"]"), "are a list, not bytes"),
    "no contents": (b"\x80\x02" + ARRAY + b".", "an array in it has no contents"),
    "contents twice": (
        array_of(b"K\x01\x85", b"C\x04abcd")[:-1]
        + b"(K\x01K\x01\x85" + FLOAT32 + b"\x89C\x04abcdtb.",
        "the contents of one array are given twice",
    ),
    "boolean of 2": (
        array_of(b"K\x01\x85", b"C\x01\x02").replace(b"f4", b"b1"),
        "a boolean array holds bytes other than 0 and 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "reason"), MEMORY.values(), ids=MEMORY.keys())
def test_a_small_file_cannot_ask_for_much_memory(content, reason):
    tracemalloc.start()
    try:
        message = refusal(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reason in message
    assert peak < 2_000_000


@pytest.mark.parametrize(("content", "reason"), TIME.values(), ids=TIME.keys())
def test_a_small_file_can_neither_hang_nor_crash_the_reader(content, reason):
    assert reason in refusal(content)


@pytest.mark.parametrize(("content", "reason"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_array_is_refused(content, reason):
    assert reason in refusal(content)


# --- what is read ---------------------------------------------------------------------------------


def test_a_memo_index_takes_no_memory_by_being_large():
    assert read(b"\x80\x02}r\xff\xff\xff\xff.") == {}


def test_a_tied_array_stays_one_array():
    array = np.ones(3)
    result = read(pickle.dumps({"a": array, "b": array}, 2))
    assert result["a"] is result["b"]


def test_an_ordered_dict_becomes_a_dict_in_the_same_order():
    result = read(pickle.dumps(OrderedDict([("b", 1), ("a", 2)]), 2))
    assert type(result) is dict
    assert list(result) == ["b", "a"]


def test_lists_that_are_met_again_are_allowed():
    shared = [1, 2]
    assert read(pickle.dumps({"a": shared, "b": (shared, shared)}, 2)) == {
        "a": [1, 2],
        "b": ([1, 2], [1, 2]),
    }


def test_the_note_may_be_dropped_and_nothing_else():
    content = b"\x80\x02}" + text(b"note") + b"0."
    assert load(io.BytesIO(content), len(content), "note") == {}
    with pytest.raises(CheckpointError, match="drops a value"):
        load(io.BytesIO(content), len(content), "other")


def test_an_error_says_where_in_the_file_it_is():
    assert "(at byte 4 of 5)" in refusal(b"\x80\x02}ab")
