"""Every sample of an epoch goes to one process, once."""

from __future__ import annotations

import itertools

import pytest

from refluid.data.division import Division, Place
from refluid.errors import DataError


def steps_of(division: Division, start: int = 0) -> list[range]:
    """Go through an epoch as `Batches` does."""
    steps = []
    for _ in range(division.number(start)):
        part = division.part(start)
        steps.append(range(part.start, part.stop))
        start = part.end
    assert division.number(start) == 0
    return steps


def all_ranks(count: int, **what: int | bool) -> list[Division]:
    return [Division(rank=rank, count=count, **what) for rank in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("length", range(4, 30))
def test_each_sample_goes_to_one_process_in_equally_many_steps(length, count):
    ranks = [steps_of(d) for d in all_ranks(count, length=length, batch_size=3, drop_last=False)]
    assert len({len(steps) for steps in ranks}) == 1
    assert all(len(step) for steps in ranks for step in steps)
    used = [place for of_step in zip(*ranks, strict=True) for part in of_step for place in part]
    assert used == list(range(length))


@pytest.mark.parametrize("length", range(6, 20))
def test_without_the_last_all_batches_are_whole(length):
    for division in all_ranks(2, length=length, batch_size=3, drop_last=True):
        steps = steps_of(division)
        assert len(steps) == length // 6
        assert {len(step) for step in steps} == {3}


def test_whole_steps_are_those_of_one_process_with_a_larger_batch():
    (alone,) = all_ranks(1, length=100, batch_size=12, drop_last=False)
    four = [steps_of(d) for d in all_ranks(4, length=100, batch_size=3, drop_last=False)]
    for whole, parts in zip(steps_of(alone), zip(*four, strict=True), strict=True):
        assert list(whole) == list(itertools.chain(*parts))


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 4), (4, 2), (4, 3), (3, 1)])
def test_another_number_of_processes_goes_on_without_gap_or_repetition(before, after):
    old = all_ranks(before, length=50, batch_size=4, drop_last=False)
    new = all_ranks(after, length=50, batch_size=4, drop_last=False)
    used = old[0].part(old[0].part(0).end).end
    places = [place for d in new for step in steps_of(d, used) for place in step]
    assert sorted(places) == list(range(used, 50))


def test_fewer_samples_than_processes_are_refused():
    division = Division(length=10, batch_size=2, drop_last=False, rank=0, count=4)
    with pytest.raises(DataError, match="3 samples are left in the epoch, fewer than 4 processes"):
        division.check(7)
    with pytest.raises(DataError, match="of each of 4 processes is 3"):
        Division(length=10, batch_size=3, drop_last=True, rank=0, count=4).check(0)


@pytest.mark.parametrize(
    "place", [(-1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, 4), (0, 5, 4), (0, 1, 10), (0, True, 4)]
)
def test_what_is_no_place_is_refused(place):
    division = Division(length=10, batch_size=2, drop_last=False, rank=0, count=2)
    with pytest.raises(DataError, match="a position must be"):
        division.check_place(Place(*place))
