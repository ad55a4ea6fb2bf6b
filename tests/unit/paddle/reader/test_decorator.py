"""Readers give Paddle's samples in Paddle's order; the numbers were recorded from Paddle 1.8.5."""

from __future__ import annotations

import multiprocessing
import random
import threading

import numpy as np
import pytest

from refluid.paddle import reader as R
from refluid.paddle.batch import batch


def base(n: int):
    return lambda: iter(range(n))


def fail():
    yield 1
    raise KeyError("broken reader")


def test_shuffle_has_paddles_order_and_leaves_random_where_paddle_does():
    random.seed(7)
    assert list(R.shuffle(base(10), 4)()) == [3, 1, 0, 2, 5, 6, 7, 4, 8, 9]
    assert random.random() == 0.5827880059033551


def test_firstn_of_shuffle_reads_one_sample_more_as_paddle_does():
    random.seed(7)
    assert list(R.firstn(R.shuffle(base(10), 4), 4)()) == [3, 1, 0, 2]
    assert random.random() == 0.36568891691258554


def test_two_epochs_of_shuffled_batches_have_paddles_order():
    random.seed(7)
    shuffled = R.shuffle(base(10), 4)
    assert list(batch(shuffled, 3)()) == [[3, 1, 0], [2, 5, 6], [7, 4, 8], [9]]
    second = list(batch(shuffled, 3, drop_last=True)())
    assert second == [[1, 3, 2], [0, 6, 5], [7, 4, 8]]
    assert random.random() == 0.06985542357461894


def test_composed_shuffles_draw_in_paddles_order():
    random.seed(7)
    pairs = list(R.compose(R.shuffle(base(5), 3), R.shuffle(base(5), 9))())
    assert pairs == [(2, 1), (0, 2), (1, 4), (3, 0), (4, 3)]
    assert random.random() == 0.5827880059033551


def test_cache_reads_once_when_it_is_made():
    random.seed(7)
    cached = R.cache(R.shuffle(base(6), 6))
    assert random.random() == 0.07243628666754276
    assert list(cached()) == list(cached()) == [4, 0, 5, 3, 1, 2]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda r: R.buffered(r, 2),
        lambda r: R.buffered(r, 0),
        lambda r: R.xmap_readers(lambda x: x, r, 2, 3, order=True),
        lambda r: R.xmap_readers(lambda x: x, r, 2, 3),
    ],
    ids=["buffered", "unbounded", "ordered", "unordered"],
)
def test_reading_ahead_keeps_the_order_and_random(wrap):
    random.seed(1)
    assert list(wrap(R.shuffle(base(9), 4))()) == [3, 0, 2, 1, 7, 5, 4, 6, 8]
    assert random.random() == 0.7609624449125756


def test_compose_lays_tuples_flat():
    nested = R.compose(R.compose(base(2), base(2)), base(2))
    assert list(nested()) == [(0, 0, 0), (1, 1, 1)]


def test_compose_of_uneven_readers_is_refused_after_the_aligned_samples():
    samples = R.compose(base(3), base(4))()
    assert [next(samples) for _ in range(3)] == [(0, 0), (1, 1), (2, 2)]
    with pytest.raises(R.ComposeNotAligned, match="number 0 ended before another"):
        next(samples)
    assert issubclass(R.ComposeNotAligned, ValueError)


def test_compose_without_check_cuts_the_longer():
    assert list(R.compose(base(3), base(4), check_alignment=False)()) == [(0, 0), (1, 1), (2, 2)]


def test_compose_takes_none_as_a_sample():
    assert list(R.compose(lambda: [None, 1], base(2))()) == [(None, 0), (1, 1)]


def test_compose_refuses_other_keywords():
    with pytest.raises(TypeError, match=r"check_alignment.*aligned"):
        R.compose(base(1), aligned=True)


def test_map_chain_and_firstn():
    assert list(R.map_readers(lambda a, b: a - b, base(4), base(3))()) == [0, 0, 0]
    assert list(R.chain(base(2), base(3))()) == [0, 1, 0, 1, 2]
    assert list(R.firstn(base(5), 2)()) == [0, 1]
    assert list(R.firstn(base(1), 2)()) == [0]


@pytest.mark.parametrize(
    "decorate",
    [
        lambda: R.buffered(fail, 2),
        lambda: R.xmap_readers(lambda x: x, fail, 2, 2),
        lambda: R.xmap_readers({}.__getitem__, base(3), 2, 2, order=True),
        lambda: R.multiprocess_reader([fail, base(3)]),
        lambda: R.multiprocess_reader([fail, base(3)], use_pipe=False),
    ],
    ids=["buffered", "xmap reader", "xmap mapper", "pipe", "queue"],
)
def test_errors_reach_the_consumer_and_nothing_is_left(decorate):
    threads = threading.active_count()
    with pytest.raises(KeyError):
        list(decorate()())
    assert threading.active_count() == threads
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    "decorate",
    [
        lambda r: R.buffered(r, 2),
        lambda r: R.xmap_readers(str, r, 3, 2),
        lambda r: R.multiprocess_reader([r, r]),
    ],
    ids=["buffered", "xmap", "multiprocess"],
)
def test_break_leaves_no_thread_and_no_process(decorate):
    threads = threading.active_count()
    for _ in decorate(lambda: iter(int, 1))():
        break
    assert threading.active_count() == threads
    assert multiprocessing.active_children() == []


def test_xmap_maps_in_several_threads():
    together = threading.Barrier(3)

    def meet(x: int) -> int:
        together.wait(10)  # passes only if three calls run at once
        return x

    assert list(R.xmap_readers(meet, base(9), 3, 1)()) == list(range(9))


def test_xmap_refuses_no_threads():
    with pytest.raises(ValueError, match=r"`process_num` must be at least 1.*0"):
        R.xmap_readers(str, base(1), 0, 1)


@pytest.mark.parametrize("use_pipe", [True, False])
def test_multiprocess_reader_takes_one_of_each_in_turn(use_pipe):
    joined = R.multiprocess_reader([base(3), base(5), base(2)], use_pipe, queue_size=4)
    assert list(joined()) == [0, 0, 0, 1, 1, 1, 2, 2, 3, 4]
    assert len(list(joined())) == 10


def test_multiprocess_reader_keeps_tuples_and_arrays():
    ((image, label),) = R.multiprocess_reader([lambda: [(np.ones(3, np.float32), 7)]])()
    assert (image.dtype, image.tolist(), label) == (np.float32, [1, 1, 1], 7)


@pytest.mark.parametrize("readers", [[], (base(1),), base(1)])
def test_multiprocess_reader_takes_a_list(readers):
    with pytest.raises(AssertionError, match="`readers` must"):
        R.multiprocess_reader(readers)
