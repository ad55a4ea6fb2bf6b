"""Batches are functions of (seed, epoch, index): for any workers, from any place and process."""

from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
import traceback
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from refluid.data import Batches
from refluid.data.batch import EpochOrder
from refluid.data.position import Source
from refluid.errors import DataError
from refluid.state.generators import capture_generators
from refluid.state.tree import pack, unpack

IMAGES = torch.arange(23 * 12, dtype=torch.float32).reshape(23, 1, 3, 4)
LABELS = np.arange(23)
# no more than a thread's share of an addition: beyond it the last bits depend on the threads
LARGE = torch.rand(32_768, generator=torch.Generator().manual_seed(0))


class Noisy(torch.utils.data.Dataset):
    """Draws from every generator while it reads, and adds up as much as one thread would."""

    def __len__(self):
        return 23

    def __getitem__(self, index):
        return {
            "index": index,
            "python": random.random(),
            "numpy": np.random.normal(size=3),
            "sum": (LARGE * torch.rand(())).sum(),
        }


def jitter(sample):
    image, label = sample
    image += torch.rand(1)
    return torch.roll(image, random.randint(-2, 2), 1), np.random.randint(100), label


def as_bits(batch):
    if isinstance(batch, dict):
        return {name: as_bits(part) for name, part in batch.items()}
    if isinstance(batch, (list, tuple)):
        return [as_bits(part) for part in batch]
    return batch.dtype, tuple(batch.shape), batch.numpy().tobytes()


def drawn(batches, position=None, epochs=3):
    return [
        (*item[:3], as_bits(item.batch)) for item in batches.open(unpack(pack(position)), epochs)
    ]


@pytest.fixture(autouse=True)
def _none_left():
    yield
    assert multiprocessing.active_children() == []


def test_is_a_source():
    assert isinstance(Batches([1], 1), Source)


@pytest.mark.parametrize("dataset", ["memory", "map"])
def test_batches_are_the_same_for_any_number_of_workers(dataset):
    def make(workers):
        options = {"shuffle": True, "seed": 5, "workers": workers}
        if dataset == "map":
            return Batches(Noisy(), 4, **options)
        return Batches((IMAGES, LABELS), 4, transform=jitter, **options)

    first = drawn(make(0))
    assert len({str(bits) for *_, bits in first}) == 18  # nothing is twice the same
    for workers in (1, 2, 4):
        assert drawn(make(workers)) == first


@pytest.mark.parametrize("workers", [0, 2])
def test_any_position_gives_the_rest(workers):
    def make():
        return Batches((IMAGES, LABELS), 5, shuffle=True, seed=1, workers=workers, transform=jitter)

    batches = make()
    items = batches.open(None, 3)
    positions = [batches.position()]
    for _ in items:
        positions.append(batches.position())
    whole = drawn(make())
    assert len(whole) == len(positions) - 1 == 15
    for k in (0, 1, 4, 5, 6, 14, 15):
        assert drawn(make(), positions[k]) == whole[k:]


CODE = """
import random, torch
from refluid.data import Batches
def change(x):
    return x + random.random() + torch.rand(())
batches = Batches(torch.arange(50.0), 7, shuffle=True, seed=9, transform=change)
bits = [float(x).hex() for batch in batches for x in batch]
"""


def test_batches_of_another_process_are_the_same():
    there = subprocess.run(
        [sys.executable, "-c", f"{CODE}print(bits)"], capture_output=True, text=True, check=True
    )
    here = {}
    exec(CODE, here)
    assert there.stdout == f"{here['bits']}\n"


def test_every_epoch_has_every_sample_once_in_its_own_order():
    batches = Batches(list(range(100)), 8, shuffle=True)
    epochs = [torch.cat(list(batches)).tolist() for _ in range(3)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(100))] * 3
    assert len({tuple(epoch) for epoch in [*epochs, list(range(100))]}) == 4


def test_without_shuffle_samples_come_as_they_are():
    batches = Batches(torch.arange(7), 3)
    assert [batch.tolist() for batch in batches] == [[0, 1, 2], [3, 4, 5], [6]]


def test_drop_last_leaves_out_what_is_smaller():
    batches = Batches(torch.arange(7), 3, drop_last=True)
    assert [batch.tolist() for batch in batches] == [[0, 1, 2], [3, 4, 5]]
    assert len(batches) == 2
    assert [item.last for item in batches.open(None, 1)] == [False, True]


def test_one_batch_may_be_all():
    batches = Batches([1, 2], 5)
    assert [(*item[:3], item.batch.tolist()) for item in batches.open(None, 1)] == [
        (0, 0, True, [1, 2])
    ]


@pytest.mark.parametrize(
    "dataset",
    [
        IMAGES,
        IMAGES.numpy(),
        IMAGES.numpy()[::-1],
        (IMAGES, LABELS),
        {"image": IMAGES, "label": LABELS},
        (IMAGES.to(torch.bfloat16), LABELS > 3),
    ],
    ids=["tensor", "array", "reversed", "tuple", "dict", "types"],
)
def test_data_in_memory_are_collated_as_a_data_loader_does(dataset):
    def sample(k):
        if isinstance(dataset, tuple):
            return tuple(part[k] for part in dataset)
        if isinstance(dataset, dict):
            return {name: part[k] for name, part in dataset.items()}
        return dataset[k] if isinstance(dataset, torch.Tensor) else np.array(dataset[k])

    def bits(batch):
        if isinstance(batch, dict):
            return {name: bits(part) for name, part in batch.items()}
        if isinstance(batch, list):
            return [bits(part) for part in batch]
        return batch.dtype, batch.tolist()

    expected = list(DataLoader([sample(k) for k in range(23)], batch_size=4))
    assert [bits(batch) for batch in Batches(dataset, 4)] == [bits(batch) for batch in expected]
    # and so they are sample by sample
    mapped = Batches(dataset, 4, transform=lambda sample: sample)
    assert [bits(batch) for batch in mapped] == [bits(batch) for batch in expected]


def test_map_style_data_are_collated_as_a_data_loader_does():
    dataset = TensorDataset(IMAGES, torch.from_numpy(LABELS))
    expected = [as_bits(batch) for batch in DataLoader(dataset, batch_size=4)]
    assert [as_bits(batch) for batch in Batches(dataset, 4)] == expected


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_batch_may_be_changed_without_changing_the_data(shuffle):
    data, labels = torch.arange(6.0), np.arange(6)
    labels.setflags(write=False)
    for batch, numbers in Batches((data, labels), 2, shuffle=shuffle):
        batch.zero_()
        numbers.zero_()
    for batch in Batches(data, 2, shuffle=shuffle, transform=lambda x: x.zero_()):
        assert not batch.any()
    assert data.tolist() == labels.tolist() == list(range(6))


@pytest.mark.parametrize("workers", [0, 2])
def test_the_programs_own_draws_and_threads_are_untouched(workers):
    threads = torch.get_num_threads()
    before = pack(capture_generators())
    drawn(Batches(Noisy(), 4, shuffle=True, workers=workers))
    after = pack(capture_generators())
    assert after.structure == before.structure
    assert all(torch.equal(after.tensors[k], before.tensors[k]) for k in before.tensors)
    assert torch.get_num_threads() == threads


def test_each_iteration_is_the_next_epoch_also_after_a_break():
    batches = Batches(torch.arange(20), 4, shuffle=True)
    first = list(Batches(torch.arange(20), 4, shuffle=True).open(None, 3))
    assert batches.epoch == 0
    for batch in batches:
        assert batch.tolist() == first[0].batch.tolist()
        break
    assert torch.cat(list(batches)).tolist() == [
        x for item in first[5:10] for x in item.batch.tolist()
    ]
    assert batches.epoch == 2


def test_loops_of_ones_own_go_on_from_a_saved_state():
    batches = Batches(torch.arange(20), 4, shuffle=True)
    whole = [batch.tolist() for _ in range(3) for batch in batches]
    batches = Batches(torch.arange(20), 4, shuffle=True)
    for _ in zip(range(7), (b for _ in range(3) for b in batches), strict=False):
        state = batches.state_dict()
    later = Batches(torch.arange(20), 4, shuffle=True)
    later.load_state_dict(unpack(pack(state)))
    assert later.epoch == 1
    assert [batch.tolist() for _ in range(2) for batch in later] == whole[7:]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"batch_size": 5}, "`batch_size` was 4 and is 5 now"),
        ({"seed": 1}, "`seed` was 0 and is 1"),
        ({"shuffle": True, "drop_last": True}, "`shuffle` was False and is True.*`drop_last`"),
        ({"dataset": torch.arange(9)}, "`length` was 23 and is 9"),
    ],
)
def test_position_of_other_data_is_refused(options, text):
    position = Batches(IMAGES, 4).position()
    batches = Batches(**{"dataset": IMAGES, "batch_size": 4, **options})
    with pytest.raises(DataError, match=text):
        batches.open(position, 1)


@pytest.mark.parametrize(
    "change", [{"epoch": -1}, {"index": 6}, {"index": "0"}, {"epoch": True}, {"epoch": None}]
)
def test_position_out_of_range_is_refused(change):
    batches = Batches(IMAGES, 4)
    with pytest.raises(DataError, match="a position must be"):
        batches.open({**batches.position(), **change}, 1)


@pytest.mark.parametrize("position", [{}, 3, {"digest": b""}])
def test_position_of_another_kind_is_refused(position):
    with pytest.raises(DataError, match="must hold `epoch` and `index`"):
        Batches(IMAGES, 4).open(position, 1)


def test_nothing_is_left_after_the_last_epoch():
    batches = Batches([1, 2], 2)
    list(batches.open(None, 2))
    assert batches.position()["epoch"] == 2
    assert list(batches.open(batches.position(), 2)) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_error_of_a_transform_names_the_sample_and_keeps_its_traceback(workers):
    def broken(sample):
        return 1 // (sample - 7)

    items = Batches(list(range(20)), 4, workers=workers, transform=broken).open(None, 1)
    assert next(items).batch.tolist() == [-1, -1, -1, -1]
    with pytest.raises(DataError, match="sample 7 could not be made in epoch 0: ZeroDiv") as info:
        next(items)
    assert "1 // (sample - 7)" in "".join(traceback.format_exception(info.value))


def test_stop_iteration_in_a_transform_does_not_end_the_epoch():
    with pytest.raises(DataError, match="sample 0 .*StopIteration"):
        list(Batches([1, 2], 2, transform=lambda _: next(iter(()))))


def test_samples_of_different_shapes_are_an_error_that_names_them():
    with pytest.raises(DataError, match="samples 0, 1 cannot be put into one batch"):
        list(Batches([torch.zeros(2), torch.zeros(3)], 2))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (([], 1), "at least one sample"),
        ((torch.zeros(0, 3), 1), "at least one sample"),
        (((), 1), "at least one tensor"),
        ((torch.tensor(1.0), 1), "a row for each sample, but received one number"),
        (((torch.zeros(3), torch.zeros(4)), 1), "`dataset.0.` has 3, `dataset.1.` has 4"),
        (((torch.zeros(3), [1, 2, 3]), 1), "`dataset.1.` must be a tensor.*received list"),
        (({"x": np.array(["a"], object)}, 1), "`dataset.'x'.` cannot be made a tensor"),
        ((torch.eye(3).to_sparse(), 1), "dense"),
        ((iter([1]), 1), "samples by index.*list_iterator"),
        (("text", 1), "samples by index.*str"),
        (([1], 0), "`batch_size` must be a whole number from 1, but received 0"),
        (([1], True), "`batch_size`"),
        (([1], 2.0), "`batch_size`"),
    ],
)
def test_wrong_data_are_refused(arguments, text):
    with pytest.raises(DataError, match=text):
        Batches(*arguments)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"batch_size": 3, "drop_last": True}, "no batch"),
        ({"seed": -1}, "`seed`"),
        ({"seed": 2**32}, "`seed` must be less than"),
        ({"workers": -1}, "`workers`"),
        ({"shuffle": "yes"}, "`shuffle`"),
        ({"transform": 3}, "`transform`"),
    ],
)
def test_wrong_options_are_refused(options, text):
    with pytest.raises(DataError, match=text):
        Batches(**{"dataset": [1, 2], "batch_size": 1, **options})


def test_data_set_without_a_length_is_refused():
    class Endless(torch.utils.data.Dataset):
        def __getitem__(self, index):
            return index

    with pytest.raises(DataError, match="must have a length"):
        Batches(Endless(), 1)


def test_break_and_close_end_the_workers():
    batches = Batches(Noisy(), 4, workers=2)
    for _ in batches:
        break
    assert multiprocessing.active_children() == []
    items = batches.open(None, 1000)
    next(items)
    assert len(multiprocessing.active_children()) == 2
    batches.close()
    assert multiprocessing.active_children() == []


def test_workers_live_through_all_epochs():
    class Process(torch.utils.data.Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, index):
            return multiprocessing.current_process().pid

    batches = Batches(Process(), 2, workers=2)
    pids = {int(pid) for item in batches.open(None, 3) for pid in item.batch}
    assert len(pids) == 2


@pytest.mark.parametrize("num_items", [2**18 + 1, 2**18 + 12345])
def test_long_order_is_a_permutation_in_any_pieces(num_items):
    whole = EpochOrder(num_items, True, 3, 1).take(0, num_items)
    assert np.array_equal(np.sort(whole), np.arange(num_items))
    order = EpochOrder(num_items, True, 3, 1)
    size = 30_011
    pieces = [order.take(start, start + size) for start in range(0, num_items, size)]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal(order.take(100, 200), whole[100:200])


def test_long_orders_look_random():
    num_items = 300_000
    a, b, c = (
        EpochOrder(num_items, True, seed, epoch).take(0, num_items)
        for seed, epoch in ((0, 0), (0, 1), (1, 0))
    )
    places = np.arange(num_items)
    for x, y in ((a, places), (a, b), (a, c), (a[1:], a[:-1])):
        assert abs(np.corrcoef(x, y)[0, 1]) < 0.01  # five deviations
        assert (x == y).sum() < 12


def test_long_order_is_always_this_one():
    # runs that were begun with an earlier version must go on in their order
    assert EpochOrder(1_000_003, True, 3, 1).take(0, 5).tolist() == [
        939195, 448391, 561999, 83301, 82711,
    ]  # fmt: skip


def test_a_place_far_along_a_long_epoch_is_reached_at_once():
    class Range(torch.utils.data.Dataset):
        def __len__(self):
            return 10**9

        def __getitem__(self, index):
            return index

    batches = Batches(Range(), 100, shuffle=True)
    position = {**batches.position(), "index": 5_000_000, "used": 500_000_000}
    first = next(batches.open(position, 1))
    assert first.index == 5_000_000
    assert len(set(first.batch.tolist())) == 100
    batches.close()


# --- shards -----------------------------------------------------------------------------------


def sharded(count: int, **options: Any) -> list[Batches]:
    data = np.arange(23)
    return [
        Batches(data, 3, shuffle=True, seed=5, shard=(k, count), **options) for k in range(count)
    ]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_shards_together_give_each_sample_once_per_epoch(count):
    ranks = sharded(count)
    for _ in range(2):
        taken = [value for batches in ranks for batch in batches for value in batch.tolist()]
        assert sorted(taken) == list(range(23))


def test_shards_of_whole_steps_are_the_batch_of_one_process():
    alone = next(iter(Batches(np.arange(23), 12, shuffle=True, seed=5)))
    parts = [next(iter(batches)).tolist() for batches in sharded(4)]
    assert [v for part in parts for v in part] == alone.tolist()


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 4), (4, 2), (2, 1)])
def test_position_goes_on_in_another_number_of_shards(before, after):
    old, new = sharded(before), sharded(after)
    taken = [next(iter(batches)).tolist() for batches in old]
    for batches in new:
        batches.load_state_dict(old[0].state_dict())
        taken += [batch.tolist() for batch in batches]
    assert sorted(v for batch in taken for v in batch) == list(range(23))


def test_rest_that_is_less_than_a_step_of_more_shards_is_dropped_with_the_epoch():
    (old,) = sharded(1, drop_last=True)
    position = old.position() | {"index": 4, "used": 12}
    new = sharded(4, drop_last=True)
    new[0].load_state_dict(position)
    assert new[0].epoch == 1
    keeping = sharded(4)[0]
    with pytest.raises(DataError, match="2 samples are left in the epoch, fewer than 4 processes"):
        keeping.load_state_dict(position | {"drop_last": False, "used": 21})


@pytest.mark.parametrize("shard", [(2, 2), (-1, 2), 1, (0,), ("0", 2), (0, True), (0.0, 1)])
def test_shard_that_is_none_is_refused(shard):
    with pytest.raises(DataError, match="`shard` must be"):
        Batches(np.arange(4), 2, shard=shard)


def test_position_without_samples_is_that_of_one_process():
    batches = Batches(IMAGES, 4)
    position = batches.position() | {"index": 2}
    del position["used"], position["processes"]
    batches.load_state_dict(position)
    assert next(batches._items_until(1)).index == 2
