"""What fails in the thread that writes is told, and the thread goes on."""

from __future__ import annotations

import resource

import pytest
import torch

from refluid.checkpoint.store import Store
from refluid.loop.parts import Alone
from refluid.loop.writer import Save, Writer
from refluid.observe.journal.journal import Journal
from refluid.state.tree import pack


@pytest.fixture
def writing(tmp_path):
    journal = Journal(tmp_path / "run.sqlite")
    journal.open()
    store = Store(tmp_path / "checkpoints", journal.run)
    writer = Writer(journal, Alone(store), lambda: store.retain(1))
    writer.start()
    yield writer, store
    writer.close()
    journal.close()


def save(step, metrics=()):
    state = pack({"weight": torch.full((1 << 16,), float(step))})
    return Save(step=step, packed=state, metrics=dict(metrics), why="test")


def test_checkpoints_are_written_in_order_and_old_ones_go(writing):
    writer, store = writing
    for step in (0, 3, 5):
        writer.save(save(step))
    writer.wait()
    assert not writer.saving
    assert (store.steps(), writer.saved_step, writer.problems()) == ([5], 5, [])


def test_a_job_that_raises_what_nobody_expected_does_not_end_the_thread(writing):
    writer, store = writing
    writer.save(save(1, {"loss": "not a number"}))
    writer.save(save(2))
    writer.wait()
    (problem,) = writer.problems()
    assert problem.startswith("writing failed: ValueError")
    assert store.steps() == [2]


def test_a_full_disk_is_told_and_the_last_good_checkpoint_stays(writing):
    writer, store = writing
    writer.save(save(1))
    writer.wait()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        writer.save(save(2))
        writer.wait()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    (problem,) = writer.problems()
    assert problem.startswith("step 2 could not be saved: ")
    assert (store.steps(), writer.saved_step) == ([1], 1)
    writer.save(save(3))
    writer.wait()
    assert store.steps() == [3]
