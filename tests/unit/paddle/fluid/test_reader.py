"""Loaders give Paddle's batches as variables, and leave no thread or process behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
import traceback

import numpy as np
import pytest

from refluid.errors import RefluidWarning, UnsupportedFluidAPI
from refluid.paddle.batch import batch
from refluid.paddle.fluid import reader as loaders
from refluid.paddle.fluid.core_avx import CPUPlace, VarBase
from refluid.paddle.fluid.core_avx.tracer import use_tracer
from refluid.paddle.fluid.dataloader import BatchSampler, Dataset
from refluid.paddle.fluid.dygraph.base import guard
from refluid.paddle.fluid.lod_tensor import create_lod_tensor
from refluid.paddle.fluid.reader import DataLoader, PyReader

MODES = pytest.mark.parametrize("processes", [False, True], ids=["thread", "process"])


@pytest.fixture(autouse=True)
def _graph():
    threads = threading.active_count()
    with guard(CPUPlace()):
        yield
    if multiprocessing.active_children():
        gc.collect()  # pytest's own record of an expected error may hold a generator in a cycle
    assert threading.active_count() == threads
    assert multiprocessing.active_children() == []


def samples():
    for k in range(5):
        yield np.full(2, k, "float32"), np.array([k], "int64"), k, 0.5


def batches():
    for k in range(3):
        yield np.full((4, 2), k, "float32"), np.full((4, 1), k, "int64")


def described(loader) -> list[list[tuple[str, list[int]]]]:
    return [[(str(v.dtype), v.shape) for v in b] for b in loader]


# --- from_generator -------------------------------------------------------------------------


@MODES
def test_all_three_kinds_of_generators_give_paddles_batches(processes):
    loader = DataLoader.from_generator(capacity=3, use_multiprocess=processes)
    slots = [("FP32", [2]), ("INT64", [1]), ("INT64", []), ("FP64", [])]
    expected = [[(f"VarType.{t}", [n, *s]) for t, s in slots] for n in (2, 2, 1)]
    loader.set_sample_generator(samples, batch_size=2, drop_last=False, places=CPUPlace())
    assert described(loader()) == expected
    loader.set_sample_generator(samples, 2)
    assert described(loader) == expected[:2]
    loader.set_sample_list_generator(batch(samples, 2), places=[CPUPlace()])
    assert described(loader) == expected
    loader.set_batch_generator(batches)
    assert described(loader) == [[("VarType.FP32", [4, 2]), ("VarType.INT64", [4, 1])]] * 3
    values = [int(y.numpy()[0, 0]) for _, y in loader]
    assert values == [0, 1, 2]


@MODES
def test_batches_are_lists_of_named_variables_without_gradient(processes):
    loader = DataLoader.from_generator(capacity=3, use_multiprocess=processes)
    loader.set_batch_generator(batches)
    given = list(loader)
    assert {type(b) for b in given} == {list}
    assert {type(v) for b in given for v in b} == {VarBase}
    assert all(v.stop_gradient for b in given for v in b)
    assert [v.name for b in given for v in b] == [f"generated_var_{k}" for k in range(6)]


@MODES
def test_generator_may_write_to_its_array_again(processes):
    def source():
        block = np.empty((2, 2), "float32")
        for k in range(6):
            block[...] = k
            yield [block]

    loader = DataLoader.from_generator(capacity=4, use_multiprocess=processes)
    assert [float(x.numpy()[0, 0]) for (x,) in loader.set_batch_generator(source)] == list(range(6))


@MODES
def test_error_in_the_generator_is_raised_with_the_users_lines(processes):
    def source():
        yield [np.ones(1)]
        raise KeyError("broken generator")

    loader = DataLoader.from_generator(capacity=2, use_multiprocess=processes)
    given = iter(loader.set_batch_generator(source))
    assert next(given)[0].shape == [1]
    with pytest.raises(KeyError, match="broken generator") as info:
        next(given)
    text = "".join(traceback.format_exception(info.value))
    assert 'raise KeyError("broken generator")' in text


@MODES
def test_break_leaves_nothing_and_the_next_iteration_starts_anew(processes):
    def endless():
        while True:
            yield [np.zeros(3)]

    loader = DataLoader.from_generator(capacity=2, use_multiprocess=processes)
    loader.set_batch_generator(endless)
    for _ in range(2):
        for _ in loader():
            break
        assert multiprocessing.active_children() == []
        assert [t for t in threading.enumerate() if t.name.startswith("refluid")] == []


@MODES
def test_two_iterations_side_by_side(processes):
    loader = DataLoader.from_generator(capacity=2, use_multiprocess=processes)
    loader.set_batch_generator(batches)
    pairs = zip(loader, loader, strict=True)
    assert [(int(a.numpy()[0]), int(b.numpy()[0])) for (_, a), (_, b) in pairs] == [
        (0, 0),
        (1, 1),
        (2, 2),
    ]


def test_next_walks_and_starts_over_after_the_end():
    loader = DataLoader.from_generator(capacity=2).set_batch_generator(batches)
    for _ in range(2):
        seen = [int(loader.next()[1].numpy()[0, 0]), int(next(loader)[1].numpy()[0, 0])]
        assert seen == [0, 1]
        next(loader)
        with pytest.raises(StopIteration):
            next(loader)


@MODES
def test_iterator_of_a_loader_has_next(processes):
    loader = DataLoader.from_generator(capacity=2, use_multiprocess=processes)
    given = iter(loader.set_batch_generator(batches))
    assert iter(given) is given
    assert [int(given.next()[1].numpy()[0, 0]) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(StopIteration):
        given.next()


@MODES
def test_items_are_numbers_arrays_and_lod_tensors(processes):
    def source():
        made = create_lod_tensor(np.arange(5).reshape(5, 1), [[2, 3]], CPUPlace())
        yield 1, 2.5, True, np.float32(3), [1, 2], np.ones(2, np.uint8), np.ones(2, "f2"), made
        yield (np.ones((2, 3), "float32"))

    loader = DataLoader.from_generator(capacity=2, use_multiprocess=processes)
    types = "INT64 [] FP64 [] BOOL [] FP32 [] INT64 [2] UINT8 [2] FP16 [2] INT64 [5, 1]"
    first, second = described(loader.set_batch_generator(source))
    assert " ".join(f"{dtype} {shape}" for dtype, shape in first).replace("VarType.", "") == types
    assert second == [("VarType.FP32", [3])] * 2


@MODES
def test_items_of_other_kinds_are_refused(processes):
    loader = DataLoader.from_generator(capacity=2, use_multiprocess=processes)
    for item in ("x", np.ones(2, complex), None):
        with pytest.raises(TypeError, match=r"must (be one of bool|hold numbers)"):
            list(loader.set_batch_generator(lambda item=item: iter([[item]])))
    with pytest.raises(TypeError, match="not iterable"):
        list(loader.set_sample_list_generator(lambda: iter([3])))
    with pytest.raises(ValueError, match=r"the same number of slots, but received \[1, 2\]"):
        list(loader.set_sample_list_generator(lambda: iter([[(1,), (3, 4)]])))


def test_order_of_loaders_is_a_setting_of_its_own(monkeypatch):
    monkeypatch.setattr(loaders, "KEEP_DATA_LOADER_ORDER", True)
    assert loaders.keep_data_loader_order() is True
    assert loaders.keep_data_loader_order(False) is None
    assert loaders.keep_data_loader_order() is False
    for wrong in ((1,), (True, True)):
        with pytest.raises(AssertionError, match="takes True or False"):
            loaders.keep_data_loader_order(*wrong)


def test_death_of_the_worker_is_an_error():
    def source():
        yield [np.ones(1)]
        os._exit(3)

    loader = DataLoader.from_generator(capacity=2, use_multiprocess=True)
    with pytest.raises(RuntimeError, match="status 3"):
        list(loader.set_batch_generator(source))


@MODES
def test_uneven_batches_are_refused(processes):
    loader = DataLoader.from_generator(capacity=2, use_multiprocess=processes)
    with pytest.raises(TypeError, match="slot 0 of the batch cannot be made an array"):
        list(loader.set_batch_generator(lambda: iter([[[[1], [1, 2]]]])))
    with pytest.raises(TypeError, match=r"each sample must be a tuple or list.*int"):
        list(loader.set_sample_generator(lambda: range(4), 2))


def test_wrong_arguments_are_named():
    for capacity in (None, 0, -1, 2.0, "3"):
        with pytest.raises(ValueError, match=r"`capacity` must be a positive integer.*received"):
            DataLoader.from_generator(capacity=capacity)
    loader = DataLoader.from_generator(capacity=1)
    with pytest.raises(AssertionError, match="data source of this DataLoader is not set"):
        iter(loader)
    with pytest.raises(AssertionError, match=r"`batch_size` must be 1 or more.*0"):
        loader.set_sample_generator(samples, 0)
    with pytest.raises(TypeError, match="`places` must be a place"):
        loader.set_batch_generator(batches, "cpu")


def test_loaders_of_the_static_graph_are_unsupported():
    with pytest.raises(UnsupportedFluidAPI, match="static graph"):
        DataLoader.from_dataset(None, None)
    with use_tracer(None), pytest.raises(UnsupportedFluidAPI, match="inside the guard"):
        DataLoader.from_generator(capacity=1)


def test_iterable_false_is_changed_with_a_warning():
    with pytest.warns(RefluidWarning, match="`iterable` is False"):
        assert DataLoader.from_generator(capacity=1, iterable=False).iterable


def test_py_reader_is_the_same_under_older_names():
    reader = PyReader(capacity=2)
    reader.decorate_batch_generator(batches)
    assert len(list(reader())) == 3
    reader.decorate_sample_generator(samples, 2)
    assert len(list(reader)) == 2
    reader.decorate_sample_list_generator(batch(samples, 2))
    assert len(list(reader)) == 3
    assert reader.next()[0].shape == [2, 2]
    assert (reader.iterable, reader.queue) == (True, None)
    for method in (reader.start, reader.reset):
        with pytest.raises(AttributeError, match="iterate the reader"):
            method()


# --- from a data set ------------------------------------------------------------------------


class Digits(Dataset):
    def __getitem__(self, idx: int):
        return np.full(2, idx, "float32"), np.int64(idx)

    def __len__(self) -> int:
        return 7


HOW = pytest.mark.parametrize(
    "how",
    [
        {"use_buffer_reader": False},
        {},
        {"num_workers": 1},
        {"num_workers": 2},
        {"num_workers": 3, "use_shared_memory": False},
    ],
    ids=["here", "thread", "1 worker", "2 workers", "3 workers by pipe"],
)


@HOW
def test_data_set_is_read_in_order(how):
    loader = DataLoader(Digits(), places=CPUPlace(), batch_size=2, **how)
    assert len(loader) == len(loader()) == 4
    for given in (loader, loader()):
        labels = [y.numpy().tolist() for _, y in given]
        assert labels == [[0, 1], [2, 3], [4, 5], [6]]
    assert described(loader)[-1] == [("VarType.FP32", [1, 2]), ("VarType.INT64", [1])]


@HOW
def test_shuffled_order_is_paddles_with_any_number_of_workers(how):
    np.random.seed(3)
    loader = DataLoader(Digits(), places=CPUPlace(), batch_size=3, shuffle=True, **how)
    assert [y.numpy().tolist() for _, y in loader] == [[4, 6, 5], [3, 1, 0], [2]]
    assert [y.numpy().tolist() for _, y in loader] == [[2, 1, 6], [5, 3, 0], [4]]
    assert np.random.randint(1000) == 650


@HOW
def test_error_in_the_data_set_is_raised(how):
    class Broken(Digits):
        def __getitem__(self, idx: int):
            if idx == 3:
                raise LookupError(f"sample {idx} is broken")
            return super().__getitem__(idx)

    given = iter(DataLoader(Broken(), places=CPUPlace(), **how))
    assert [next(given)[1].numpy().tolist() for _ in range(3)] == [[0], [1], [2]]
    with pytest.raises(LookupError, match="sample 3 is broken") as info:
        given.next()
    assert "in __getitem__" in "".join(traceback.format_exception(info.value))


@HOW
def test_break_out_of_a_data_set_leaves_nothing(how):
    for _ in DataLoader(Digits(), places=CPUPlace(), **how):
        break
    assert multiprocessing.active_children() == []


def test_sampler_collate_and_worker_init_are_used():
    number = []

    class Numbered(Digits):
        def __getitem__(self, idx: int):
            return number[0]

    loader = DataLoader(
        Numbered(),
        places=[CPUPlace()],
        batch_sampler=BatchSampler(indices=[5, 1, 3], batch_size=1),
        collate_fn=lambda samples: [[10 * s for s in samples]],
        num_workers=2,
        worker_init_fn=number.append,
    )
    assert [x.numpy().tolist() for (x,) in loader] == [[0], [10], [0]]


def test_loader_made_outside_of_the_guard_may_be_used_in_it():
    with use_tracer(None):
        loader = DataLoader(Digits(), places=CPUPlace())
    assert len(list(loader)) == 7


@pytest.mark.parametrize(
    ("kwargs", "text"),
    [
        ({"dataset": [1]}, "`dataset` should be an instance of a subclass.*list"),
        ({"num_workers": -1}, "`num_workers` must be 0 or more.*-1"),
        ({"timeout": -1}, "`timeout` must be 0 or more.*-1"),
        ({"batch_size": 0}, "`batch_size` should be a positive"),
        ({"batch_sampler": [1]}, "`batch_sampler` should be None or an instance.*list"),
        ({"batch_sampler": BatchSampler(Digits()), "shuffle": True}, "should not be set when"),
        ({"places": [CPUPlace(), CPUPlace()]}, "`places` must hold one place"),
    ],
)
def test_wrong_arguments_of_a_loader_are_named(kwargs, text):
    with pytest.raises(AssertionError, match=text):
        DataLoader(**{"dataset": Digits(), **kwargs})
