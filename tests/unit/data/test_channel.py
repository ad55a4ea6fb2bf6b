"""What passes between processes arrives whole: items with arrays, errors, the end."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from refluid.data import channel


@pytest.fixture
def ends():
    a, b = multiprocessing.get_context("fork").Pipe()
    with a, b:
        yield a, b


@pytest.mark.parametrize("share", [True, False])
def test_items_arrive_with_types_and_bytes(ends, share):
    arrays = (
        np.arange(12, dtype=np.int64).reshape(3, 4),
        np.random.default_rng(0).random((64, 300), np.float32),  # large enough to be shared
        np.zeros((0, 5)),
        np.asfortranarray(np.arange(40000.0).reshape(200, 200)),
        np.arange(600.0)[::2],
    )
    if not share:  # a large item waits for its reader, which here is the same thread
        arrays = arrays[:1]
    channel.send(ends[0], {"a": arrays, "b": [1, "two", None]}, share)
    received = channel.receive(ends[1])
    assert received["b"] == [1, "two", None]
    for sent, got in zip(arrays, received["a"], strict=True):
        assert (got.dtype, got.shape) == (sent.dtype, sent.shape)
        assert got.tobytes() == sent.tobytes()
        got[...] = 0  # it is the receiver's own
    assert arrays[0].any()


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux shares memory this way")
def test_shared_items_wait_without_a_reader_and_keep_no_descriptor(ends):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for k in range(20):
        channel.send(ends[0], np.full(1 << 18, k, np.uint8), share=True)
    kept = [channel.receive(ends[1]) for _ in range(20)]
    assert [int(a[-1]) for a in kept] == list(range(20))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_end_is_received_as_itself(ends):
    channel.send_end(ends[0])
    assert channel.receive(ends[1]) is channel.END


def fail(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def test_error_arrives_as_its_class_with_the_traceback_as_its_cause(ends):
    channel.send_error(ends[0], fail(KeyError("missing")))
    with pytest.raises(KeyError, match="missing") as info:
        channel.receive(ends[1])
    assert "raise error" in str(info.value.__cause__)


class Picky(Exception):
    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")


class Locked(Exception):
    def __reduce__(self):
        raise pickle.PicklingError("has a lock")


@pytest.mark.parametrize("error", [Picky(1, 2), Locked("held")], ids=["not rebuilt", "not pickled"])
def test_error_that_cannot_travel_arrives_as_its_text(ends, error):
    channel.send_error(ends[0], fail(error))
    with pytest.raises(RuntimeError, match=f"{type(error).__name__}: {error}") as info:
        channel.receive(ends[1])
    assert "raise error" in str(info.value.__cause__)


def test_closed_connection_is_the_end_of_the_file(ends):
    ends[0].close()
    with pytest.raises(EOFError):
        channel.receive(ends[1])
