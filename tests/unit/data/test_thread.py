"""Reading and mapping ahead in threads: order, errors, and that no thread is left."""

from __future__ import annotations

import subprocess
import sys
import threading
import traceback

import pytest

from refluid.data.thread import map_in_threads, read_in_thread


def ours() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("refluid-")]


def test_items_come_in_order():
    assert list(read_in_thread(lambda: range(1000), 3)) == list(range(1000))
    assert ours() == []


def test_without_a_bound_everything_is_read():
    assert list(read_in_thread(lambda: range(100), 0)) == list(range(100))


def test_no_thread_before_the_first_item():
    items = read_in_thread(lambda: range(3), 1)
    assert ours() == []
    next(items)
    assert ours() == ["refluid-read"]
    items.close()
    assert ours() == []


def test_no_more_than_ahead_items_wait():
    taken = []
    stuck = threading.Event()

    def source():
        for k in range(100):
            taken.append(k)
            if k == 4:  # 1 consumed, 3 waiting, this one in hand
                stuck.set()
            yield k

    items = read_in_thread(source, 3)
    assert next(items) == 0
    assert stuck.wait(10)
    items.close()
    assert taken == [0, 1, 2, 3, 4]


def test_error_of_the_source_comes_after_its_items_with_the_users_lines():
    def source():
        yield 1
        raise KeyError("broken reader")

    items = read_in_thread(source, 5)
    assert next(items) == 1
    with pytest.raises(KeyError, match="broken reader") as info:
        next(items)
    assert "in source" in "".join(traceback.format_tb(info.value.__traceback__))
    assert ours() == []


def test_error_of_opening_the_source_is_raised():
    def source():
        raise OSError("no such file")

    with pytest.raises(OSError, match="no such file"):
        next(read_in_thread(source, 1))


def test_stop_iteration_in_a_source_does_not_end_it_in_silence():
    def source():
        raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        list(read_in_thread(source, 1))


def test_break_ends_the_thread_and_closes_the_source():
    closed = []

    def source():
        try:
            yield from range(10**9)
        finally:
            closed.append(threading.current_thread().name)

    for item in read_in_thread(source, 2):
        if item == 5:
            break
    assert ours() == []
    assert closed == ["refluid-read"]


def test_exit_with_an_open_iteration_is_clean():
    code = """
from refluid.data.thread import read_in_thread
items = read_in_thread(lambda: iter(int, 1), 2)
next(items)
print("end")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def test_map_keeps_the_order_of_the_tasks():
    first = threading.Event()

    def double(x: int) -> int:
        if x == 0:
            assert first.wait(10)  # the first result is ready last
        if x == 3:
            first.set()
        return 2 * x

    assert list(map_in_threads(double, range(8), 4, 4)) == list(range(0, 16, 2))
    assert ours() == []


def test_map_takes_its_tasks_in_the_thread_of_the_consumer():
    names = []

    def tasks():
        for k in range(4):
            names.append(threading.current_thread())
            yield k

    assert list(map_in_threads(str, tasks(), 2, 1)) == ["0", "1", "2", "3"]
    assert set(names) == {threading.current_thread()}


def test_error_in_a_mapped_function_is_raised_in_its_place():
    results = map_in_threads(lambda x: 1 // x, [1, 0, 1], 2, 5)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert ours() == []


def test_break_ends_the_mapping_threads():
    for result in map_in_threads(str, iter(int, 1), 3, 3):
        assert result == "0"
        break
    assert ours() == []
