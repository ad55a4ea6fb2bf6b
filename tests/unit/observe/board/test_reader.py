"""A board is given whole short curves, and of long ones points that are evenly spaced."""

from __future__ import annotations

import math

import pytest

from refluid.observe.board.reader import BoardReader, Extent
from refluid.observe.journal.journal import Event, Journal, Start


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "run.sqlite")
    journal.open()
    yield journal
    journal.close()


def points(journal, name, limit):
    with BoardReader(journal.path) as reader:
        return reader.points(name, reader.extents(0, reader.last())[name], limit)


def test_curve_that_is_short_enough_is_whole(journal):
    # far apart and close together
    steps = [*range(0, 5000, 500), *range(4600, 4640)]
    journal.append([(step, "valid_loss", step / 3) for step in steps])
    journal.append([(step, "loss", 1.0) for step in range(5000)])
    expected = [(step, step / 3) for step in sorted({*steps})]
    assert points(journal, "valid_loss", len(expected)) == expected


def test_long_curve_is_evenly_spaced_and_ends_at_its_last_point(journal):
    journal.append([(step, "loss", step / 3) for step in range(7, 10_007)])
    found = points(journal, "loss", 100)
    steps = [step for step, _ in found]
    assert 50 <= len(found) <= 100
    assert found[0] == (7, 7 / 3)
    assert found[-1] == (10_006, 10_006 / 3)
    assert [value for _, value in found] == [step / 3 for step in steps]
    assert steps[1:-1] == list(range(128, 10_006, 128))


def test_points_stay_where_they_are_while_a_run_goes_on(journal):
    journal.append([(step, "loss", 0.0) for step in range(2000)])
    before = points(journal, "loss", 100)
    journal.append([(step, "loss", 0.0) for step in range(2000, 2100)])
    after = points(journal, "loss", 100)
    assert after[: len(before) - 1] == before[:-1]


def test_values_that_are_no_numbers_are_points_too(journal):
    values = [math.nan, math.inf, -math.inf, -0.0]
    journal.append(list(zip(range(4), ["loss"] * 4, values, strict=True)))
    found = [value.hex() for _, value in points(journal, "loss", 10)]
    assert found == [value.hex() for value in values]


def test_last_possible_step_ends_a_curve(journal):
    journal.append([(step, "loss", 1.0) for step in (0, 2**62, 2**63 - 1)])
    assert [step for step, _ in points(journal, "loss", 3)] == [0, 2**62, 2**63 - 1]
    journal.append([(1, "loss", 1.0)])
    assert [step for step, _ in points(journal, "loss", 3)] == [0, 2**62, 2**63 - 1]


def test_extents_join():
    assert Extent(2, 0, 5) + Extent(3, 6, 9) == Extent(5, 0, 9)


def started(time, from_step):
    return Start(
        pid=1, host="h", argv=["x"], from_step=from_step, environment={}, config={}, time=time
    )


def test_times_of_steps_are_those_of_the_process_that_did_them_last(journal):
    journal.start(started(100.0, 0))
    journal.append(events=[Event(step=10, kind="saved", time=110.0)])
    journal.append(events=[Event(step=20, kind="saved", time=120.0)])
    # the checkpoint of step 20 was damaged
    journal.start(started(200.0, 10))
    journal.append([(step, "loss", 1.0) for step in range(31)])
    journal.append(events=[Event(step=20, kind="saved", time=210.0)])
    with BoardReader(journal.path) as reader:
        steps, times = reader.clock(225.0)
    assert steps.tolist() == [0, 10, 10, 20, 30]
    assert times.tolist() == [100, 110, 200, 210, 225]


def test_journal_without_starts_has_one_time(journal):
    journal.append([(3, "loss", 1.0)])
    with BoardReader(journal.path) as reader:
        steps, times = reader.clock(5.0)
    assert (steps.tolist(), times.tolist()) == ([3], [5])
