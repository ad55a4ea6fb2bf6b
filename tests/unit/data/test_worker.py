"""Reading and mapping ahead in processes: order, errors, deaths, and that no process is left."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from refluid.data.worker import map_in_workers, read_in_workers


@pytest.fixture(autouse=True)
def _none_left():
    yield
    if multiprocessing.active_children():
        gc.collect()  # pytest's own record of an expected error may hold a generator in a cycle
    assert multiprocessing.active_children() == []


def test_one_item_of_each_source_in_turn():
    sources = [lambda n=n: iter(range(n)) for n in (3, 0, 5, 2)]
    assert list(read_in_workers(sources, 4)) == [0, 0, 0, 1, 1, 1, 2, 2, 3, 4]


@pytest.mark.parametrize("ahead", [1, 2, 7, 1000])
def test_every_item_arrives_for_any_ahead(ahead):
    assert list(read_in_workers([lambda: range(100)], ahead)) == list(range(100))


@pytest.mark.parametrize("share", [True, False])
def test_large_arrays_arrive(share):
    def source():
        block = np.empty((8, 3, 64, 64), np.float32)
        for k in range(10):
            block[...] = k  # the same memory each time
            yield block, np.full(8, k)

    for k, (x, y) in enumerate(read_in_workers([source], 4, share=share)):
        assert np.all(x == k)
        assert np.all(y == k)
    assert k == 9


def test_source_runs_in_another_process_and_only_ahead_of_the_consumer():
    count = multiprocessing.get_context("fork").Value("i", 0)

    def source():
        for _ in range(1000):
            count.value += 1
            yield os.getpid()

    items = read_in_workers([source], 3)
    assert next(items) != os.getpid()
    list(zip(range(10), items, strict=False))
    assert count.value <= 11 + 3 + 1
    items.close()


def test_error_has_its_class_and_the_workers_traceback():
    def source():
        yield 1
        raise KeyError("broken reader")

    items = read_in_workers([source], 5)
    assert next(items) == 1
    with pytest.raises(KeyError, match="broken reader") as info:
        next(items)
    assert 'raise KeyError("broken reader")' in str(info.value.__cause__)


@pytest.mark.parametrize("error", [EOFError, ConnectionResetError, BrokenPipeError])
def test_errors_that_look_like_a_dead_worker_are_the_users(error):
    def source():
        yield 1
        raise error("mine")

    with pytest.raises(error, match="mine"):
        list(read_in_workers([source], 5))


def test_item_that_cannot_be_pickled_is_an_error():
    with pytest.raises((TypeError, AttributeError), match="pickle"):
        list(read_in_workers([lambda: [threading.Lock()]], 1))


@pytest.mark.parametrize(
    ("how", "text"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL.*memory"),
        (lambda: os._exit(7), "status 7"),
    ],
    ids=["killed", "exited"],
)
def test_death_of_a_worker_is_an_error(how, text):
    def source():
        yield 1
        how()

    with pytest.raises(RuntimeError, match=text):
        list(read_in_workers([source], 5))


def test_break_ends_a_worker_that_is_ahead():
    for item in read_in_workers([lambda: iter(int, 1)], 2):
        assert item == 0
        break
    assert multiprocessing.active_children() == []


def test_break_closes_the_source_in_the_worker(tmp_path):
    path = tmp_path / "closed"

    def source():
        try:
            yield from range(10**9)
        finally:
            path.write_text("yes")

    for _ in read_in_workers([source], 2):
        break
    assert path.read_text() == "yes"


def test_signals_that_ask_a_program_to_stop_are_left_to_the_parent():
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2]

    def source():
        for number in numbers:
            os.kill(os.getpid(), number)
            yield number

    assert list(read_in_workers([source], 1)) == numbers


def test_source_may_have_workers_of_its_own():
    def source():
        yield from read_in_workers([lambda: range(3)], 1)

    assert list(read_in_workers([source], 1)) == [0, 1, 2]


def test_killed_parent_takes_its_workers_with_it():
    # the workers hold the write end of the pipe too: it ends when the last of them has
    code = """
from refluid.data.worker import read_in_workers
items = read_in_workers([lambda: iter(int, 1)] * 3, 2)
next(items)
print("started", flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout.readline() == b"started\n"
        program.kill()
        assert program.stdout.read() == b""


def test_killed_parent_takes_a_worker_that_never_yields_with_it():
    code = """
import threading
from refluid.data.worker import read_in_workers

def source():
    yield 1
    threading.Event().wait()

items = read_in_workers([source], 2)
next(items)
print("started", flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout.readline() == b"started\n"
        program.kill()
        assert program.stdout.read() == b""


@pytest.mark.slow
def test_exit_with_an_open_iteration_is_clean():
    code = """
from refluid.data.worker import read_in_workers
items = read_in_workers([lambda: iter(int, 1)] * 2, 2)
next(items)
print("end")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


@pytest.mark.parametrize("num_workers", [1, 2, 3])
@pytest.mark.parametrize("ahead", [0, 1, 6])
def test_map_keeps_the_order_of_the_tasks(num_workers, ahead):
    results = map_in_workers(lambda x: x * x, range(20), num_workers, ahead)
    assert list(results) == [x * x for x in range(20)]


def test_map_deals_tasks_to_the_workers_in_turn():
    pids = list(map_in_workers(lambda _: os.getpid(), range(6), 2, 4))
    assert len(set(pids)) == 2
    assert pids[::2] == pids[:1] * 3


def test_large_tasks_and_results_do_not_block_each_other():
    tasks = [list(range(k, k + 50_000)) for k in range(6)]
    results = map_in_workers(np.array, tasks, 1, 4, share=False)
    assert [int(r[0]) for r in results] == list(range(6))


def test_map_takes_its_tasks_in_this_process():
    state = np.random.RandomState(3)
    tasks = (state.randint(100) for _ in range(5))
    expected = np.random.RandomState(3).randint(100, size=5)
    assert list(map_in_workers(int, tasks, 2, 2)) == expected.tolist()


def test_every_worker_begins_with_its_number():
    mine = []
    results = map_in_workers(lambda _: mine[0], range(6), 3, 6, begin=mine.append)
    assert list(results) == [0, 1, 2, 0, 1, 2]
    assert mine == []


def test_error_in_begin_is_raised():
    def begin(number: int) -> None:
        raise OSError(f"worker {number} has no disk")

    with pytest.raises(OSError, match="worker 0 has no disk"):
        list(map_in_workers(str, range(3), 2, 2, begin=begin))


def test_error_in_a_mapped_function_is_raised_in_its_place():
    results = map_in_workers(lambda x: 1 // x, [1, 1, 0, 1], 2, 4)
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError) as info:
        next(results)
    assert "1 // x" in str(info.value.__cause__)


def test_stop_iteration_in_a_mapped_function_does_not_end_it_in_silence():
    def stop(_: int) -> int:
        raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        list(map_in_workers(stop, range(3), 1, 1))


def test_break_ends_the_mapping_workers():
    for result in map_in_workers(str, iter(int, 1), 2, 4):
        assert result == "0"
        break
    assert multiprocessing.active_children() == []
