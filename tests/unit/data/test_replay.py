"""Data that cannot begin in the middle come back to a position exactly, or not at all."""

from __future__ import annotations

import dataclasses
import gc
import multiprocessing
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import (
    DataLoader,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from refluid import paddle
from refluid.data import Batches, Replay
from refluid.data.content import Content
from refluid.data.position import Source
from refluid.data.replay import as_source
from refluid.errors import DataError
from refluid.state.generators import capture_generators
from refluid.state.tree import pack, unpack

X = torch.arange(70, dtype=torch.float32).reshape(35, 2)


class Noisy(torch.utils.data.Dataset):
    """Draws from every generator while it reads."""

    def __len__(self):
        return 12

    def __getitem__(self, index):
        return index, random.random(), np.random.random(), torch.rand(2)


class Stream(IterableDataset):
    def __iter__(self):
        for k in range(9):
            yield k + random.random() + torch.rand(())


class Remembering(Noisy):
    """Draws from a generator of its own, which goes on from epoch to epoch."""

    def __init__(self):
        self.own = np.random.RandomState(4)

    def __getitem__(self, index):
        return index + self.own.random_sample()


def load_data():
    """The reader of the course: one list, shuffled in place again in each epoch."""
    images, labels = np.random.RandomState(0).rand(31, 1, 4, 4).astype("float32"), range(31)
    index_list = list(range(31))

    def data_generator():
        random.shuffle(index_list)
        imgs_list, labels_list = [], []
        for i in index_list:
            imgs_list.append(images[i])
            labels_list.append(np.reshape(labels[i], [1]).astype("int64"))
            if len(imgs_list) == 4:
                yield np.array(imgs_list), np.array(labels_list)
                imgs_list, labels_list = [], []
        if len(imgs_list) > 0:
            yield np.array(imgs_list), np.array(labels_list)

    return data_generator


def shuffled_reader():
    def reader():
        for k in range(30):
            yield np.full(3, k + random.random(), "float32"), k

    return paddle.batch(paddle.reader.shuffle(reader, 8), batch_size=4)


def buffered_reader():
    return paddle.batch(paddle.reader.buffered(shuffled_reader(), 3), batch_size=2)


def mapped_reader():
    return paddle.reader.xmap_readers(lambda x: (x, random.random()), shuffled_reader(), 2, 4)


def sampler_with_generator():
    generator = torch.Generator().manual_seed(3)
    return DataLoader(X, batch_size=6, sampler=RandomSampler(X, generator=generator))


SOURCES = {
    "the course's reader": load_data,
    "paddle.batch and shuffle": shuffled_reader,
    "buffered": buffered_reader,
    "mapped in threads": mapped_reader,
    "list": lambda: [[1, 2], [3, 4], [5, 6]],
    "shuffled loader": lambda: DataLoader(X, batch_size=4, shuffle=True),
    "loader with a generator": lambda: DataLoader(
        X, batch_size=4, shuffle=True, generator=torch.Generator().manual_seed(1)
    ),
    "sampler with a generator": sampler_with_generator,
    "weighted": lambda: DataLoader(X, batch_size=9, sampler=WeightedRandomSampler([1.0] * 35, 40)),
    "not batched": lambda: DataLoader(TensorDataset(X[:12]), batch_size=None, shuffle=True),
    "distributed": lambda: DataLoader(
        X, batch_size=3, sampler=DistributedSampler(X, num_replicas=2, rank=1)
    ),
    "noisy loader": lambda: DataLoader(Noisy(), batch_size=5, shuffle=True),
    "stream": lambda: DataLoader(Stream(), batch_size=4),
    "keeps state": lambda: Replay(DataLoader(Remembering(), batch_size=5), stateless=False),
}
WORKERS = {
    "workers": lambda: DataLoader(Noisy(), batch_size=3, shuffle=True, num_workers=2),
    "persistent workers": lambda: DataLoader(
        Noisy(), batch_size=3, shuffle=True, num_workers=2, persistent_workers=True
    ),
}
OF_AN_EPOCH = {
    "shuffled loader", "loader with a generator", "sampler with a generator", "weighted",
    "not batched", "distributed", "noisy loader", "workers",
}  # fmt: skip


def as_bits(batch):
    if isinstance(batch, (list, tuple)):
        return [as_bits(part) for part in batch]
    if isinstance(batch, (torch.Tensor, np.ndarray)):
        array = np.asarray(batch)
        return array.dtype.str, array.shape, array.tobytes()
    return batch


def seed():
    random.seed(1)
    np.random.seed(2)
    torch.manual_seed(3)


def drawn(make, position=None, epochs=3):
    """What a new process would draw from `position` on, and the source."""
    seed()
    source = as_source(make())
    items = []
    for item in source.open(unpack(pack(position)), epochs):
        items.append((*item[:3], as_bits(item.batch)))
        # the program's own draws, which must not change the data
        random.random(), np.random.random(), torch.rand(3)
    source.close()
    return items, source


def positions_of(make, epochs=3):
    seed()
    source = as_source(make())
    items = source.open(None, epochs)
    positions = [source.position()]
    for _ in items:
        positions.append(pack(source.position()))
    return [positions[0], *map(unpack, positions[1:])]


def check_resumes(make, name):
    whole, _ = drawn(make)
    positions = positions_of(make)
    assert len(positions) == len(whole) + 1
    size = len(whole) // 3
    assert [item[:3] for item in whole] == [
        (epoch, index, index + 1 == size) for epoch in range(3) for index in range(size)
    ]
    for k in sorted({0, 1, size - 1, size, size + 1, 2 * size, len(whole) - 1, len(whole)}):
        rest, source = drawn(make, positions[k])
        assert rest == whole[k:], f"{name} from {k}"
        replayed = k % size if name in OF_AN_EPOCH else k
        assert (source.describe() or "replayed 0 ").startswith(f"replayed {replayed} ")


@pytest.mark.parametrize("name", SOURCES)
def test_any_position_gives_the_rest(name):
    check_resumes(SOURCES[name], name)


@pytest.mark.parametrize("name", WORKERS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's of a fork, in Python 3.12
def test_any_position_gives_the_rest_with_workers(name):
    make = WORKERS[name]
    whole = drawn(make, epochs=2)[0]
    positions = positions_of(make, epochs=2)
    for k in (3, 4, 6):
        assert drawn(make, positions[k], epochs=2)[0] == whole[k:]
    gc.collect()  # persistent workers live as long as their loader, which is part of a cycle
    assert multiprocessing.active_children() == []


def test_epochs_differ_where_the_source_shuffles():
    for name in OF_AN_EPOCH - {"workers"}:
        items, _ = drawn(SOURCES[name])
        by_epoch = {str([item[3] for item in items if item[0] == k]) for k in range(3)}
        assert len(by_epoch) == 3, name


def test_reader_gives_what_it_gave_without_a_run():
    seed()
    reader = load_data()
    expected = [as_bits(batch) for _ in range(3) for batch in reader()]
    assert [item[3] for item in drawn(load_data)[0]] == expected


def test_the_programs_own_draws_are_untouched():
    seed()
    before = pack(capture_generators())
    source = Replay(DataLoader(Noisy(), batch_size=5, shuffle=True))
    list(source.open(None, 2))
    after = pack(capture_generators())
    assert after.structure == before.structure
    assert all(torch.equal(after.tensors[k], before.tensors[k]) for k in before.tensors)


def test_as_source_leaves_batches_as_they_are():
    batches = Batches([1], 1)
    assert as_source(batches) is batches
    replay = as_source([1])
    assert isinstance(replay, Replay)
    assert isinstance(replay, Source)


def test_set_epoch_is_called_before_each_epoch():
    told = []
    source = SimpleNamespace(set_epoch=told.append)
    made = type("Made", (), {"__iter__": lambda self: iter([told[-1], -1])})()
    made.sampler = source
    items, _ = drawn(lambda: made)
    assert told == [0, 1, 2]
    assert [item[3] for item in items] == [0, -1, 1, -1, 2, -1]


# --- data that are not the same again ---------------------------------------------------------


@pytest.mark.parametrize("epochs_done", [0, 1])
def test_changed_data_are_refused(epochs_done):
    position = positions_of(load_data)[8 * epochs_done + 2]

    def other():
        reader = load_data()
        return lambda: ((images + 1, labels) for images, labels in reader())

    with pytest.raises(DataError, match=f"before epoch {epochs_done}, batch 2 are not those"):
        drawn(other, position)


def test_draws_without_a_seed_are_refused():
    def make():
        generator = np.random.default_rng()
        return lambda: iter([generator.random(3) for _ in range(5)])

    with pytest.raises(DataError, match="not seeded"):
        drawn(make, positions_of(make)[3])


def test_data_set_that_keeps_something_is_refused_unless_it_is_said():
    def make():
        return DataLoader(Remembering(), batch_size=5)

    with pytest.raises(DataError, match="stateless=False"):
        drawn(make, positions_of(make)[4])


def test_shorter_data_are_refused():
    position = positions_of(lambda: [1, 2, 3])[2]
    with pytest.raises(DataError, match="2 batches or more .* but has 1 now"):
        drawn(lambda: [1], position)


def test_other_generators_are_refused():
    position = positions_of(SOURCES["loader with a generator"])[2]
    with pytest.raises(DataError, match="1 torch generators .* have 0 now"):
        drawn(SOURCES["shuffled loader"], position)


@pytest.mark.parametrize(
    ("position", "text"),
    [
        (3, "received int"),
        ({"epoch": 1, "index": 2, "length": 3}, "one with epoch, index, length"),
        (dict.fromkeys(("epoch", "index", "digest", "start", "first")), "received None"),
        (
            {"epoch": 0, "index": 0, "digest": b"", "start": {}, "first": {"stream": 3}},
            "does not hold states",
        ),
    ],
)
def test_position_of_another_kind_is_refused(position, text):
    with pytest.raises(DataError, match=text):
        Replay([1]).open(position, 1)


def test_batches_refuse_a_position_of_a_replay_and_the_other_way():
    with pytest.raises(DataError, match="another Batches"):
        Batches([1], 1).open(Replay([1]).position(), 1)
    with pytest.raises(DataError, match="data of another kind"):
        Replay([1]).open(Batches([1], 1).position(), 1)


# --- what cannot be replayed ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ((x for x in [1]), "received a generator.*without calling"),
        (iter([1]), "received a list_iterator"),
        (3, "received int"),
        ("text", "received str"),
        ({"x": 1}, "received dict"),
        (Noisy(), "received Noisy.*Batches"),
    ],
)
def test_what_cannot_be_iterated_again_is_refused(source, text):
    with pytest.raises(DataError, match=text):
        Replay(source)


def test_function_that_returns_a_function_is_refused_with_a_hint():
    with pytest.raises(DataError, match="returned function: pass what it returns"):
        next(Replay(load_data).open(None, 1))


def test_function_that_returns_the_same_iterator_is_refused():
    once = iter([1, 2])
    items = Replay(lambda: once).open(None, 2)
    assert [next(items).batch, next(items).batch] == [1, 2]
    with pytest.raises(DataError, match="no batch in epoch 1"):
        next(items)


def test_reader_that_writes_into_its_last_batch_is_refused():
    def reader():
        block = np.zeros(4)
        for k in range(3):
            block[:] = k
            yield block

    with pytest.raises(DataError, match="yield a copy"):
        list(Replay(reader).open(None, 1))


def test_the_same_batch_again_is_no_mistake():
    batch = torch.ones(3), [1]
    items = list(Replay(lambda: [batch] * 4).open(None, 1))
    assert [item.last for item in items] == [False, False, False, True]


def test_error_of_the_source_is_raised_as_it_is():
    def reader():
        yield 1
        yield 2
        raise OSError("no such file")

    items = Replay(reader).open(None, 1)
    assert next(items).batch == 1
    with pytest.raises(OSError, match="no such file"):
        list(items)


def test_close_closes_the_generator():
    closed = []

    def reader():
        try:
            yield from range(10)
        finally:
            closed.append(True)

    source = Replay(reader)
    next(source.open(None, 1))
    source.close()
    assert closed == [True]


def test_what_could_not_be_compared_is_said():
    def make():
        return [SimpleNamespace(x=1), SimpleNamespace(x=2)]

    items, source = drawn(make, positions_of(make, 1)[1], 1)
    assert [item[3].x for item in items] == [2]
    assert "without comparing types.SimpleNamespace" in source.describe()


# --- the content of batches -------------------------------------------------------------------


@dataclasses.dataclass
class Pair:
    a: object
    b: object


BIG = torch.arange(1 << 19, dtype=torch.float32)  # two mebibytes

DIFFERENT = [
    None, 0, 1, True, 1.0, -0.0, 0.0, float("nan"), 1j, 10**5000, "a", "\ud800", "", b"a", b"",
    [], (), {}, [1], (1,), [1, 2], [[1], 2], [1, [2]], {"a": 1}, {"b": 1}, {"a": 1, "b": 1},
    Pair(1, 2), Pair(2, 1), np.float32(1), np.int64(1), np.array("a"),
    torch.zeros(0), torch.zeros(0, 2), torch.zeros(2), torch.zeros(2, 1), torch.zeros(2).double(),
    torch.zeros(2, dtype=torch.bfloat16), torch.zeros(2, dtype=torch.complex64),
    torch.zeros(2, dtype=torch.bool), np.zeros(2), np.zeros(2, "S1"), -torch.zeros(2),
    torch.arange(5000), torch.arange(5000).flip(0), torch.arange(5000).reshape(50, 100),
    torch.arange(5000) + (torch.arange(5000) == 4999), torch.arange(5001)[1:], BIG, BIG.flip(0),
    BIG.roll(1024), list(range(100)), list(range(99, -1, -1)),
]  # fmt: skip


def test_different_contents_have_different_digests():
    digests = {Content(value).digest for value in DIFFERENT}
    assert len(digests) == len(DIFFERENT)


def test_equal_contents_have_equal_digests():
    a = {"x": (X, [X.numpy(), 1.5]), "y": X.T, "z": X[::2]}
    b = {"x": (X.clone(), [X.numpy().copy(), 1.5]), "y": X.T.contiguous(), "z": X[::2].clone()}
    assert Content(a).digest == Content(b).digest
    assert Content(a).opaque == set()


@pytest.mark.parametrize("word", range(0, 4999, 311))
def test_any_changed_number_changes_the_digest(word):
    a = torch.rand(5000, generator=torch.Generator().manual_seed(0))
    b = a.clone()
    b[word] = torch.nextafter(b[word], torch.tensor(2.0))
    assert Content(a).digest != Content(b).digest


def test_two_samples_that_change_places_change_the_digest():
    a = torch.rand(100, 28, 28, generator=torch.Generator().manual_seed(0)).round()
    b = a[torch.tensor([1, 0, *range(2, 100)])]
    assert Content(a).digest != Content(b).digest


def test_what_cannot_be_looked_into_is_named():
    loop = []
    loop.append(loop)
    value = [object(), np.array([None]), torch.eye(2).to_sparse(), {1, 2}, loop]
    assert Content(value).opaque == {"object", "numpy.ndarray", "torch.Tensor", "set", "list"}
