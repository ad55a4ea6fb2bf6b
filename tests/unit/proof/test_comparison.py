"""The earliest difference between two executions is found, as bits, and named."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest
import torch

from refluid.checkpoint.store import Store
from refluid.observe.journal.journal import Journal
from refluid.proof.comparison import first_difference, irrelevant_leaves
from refluid.state.tree import pack

METRICS = [(step, name, step + 0.5) for step in range(4) for name in ("accuracy", "loss")]
LEAVES = ("generators.torch", "objects.model.w", "progress.position.count")
DIGESTS = [(step, leaf, f"{step:016x}") for step in range(4) for leaf in LEAVES]
STATE = {"objects": {"model": {"w": torch.ones(3)}}, "generators": {"torch": torch.zeros(2)}}
NAN = struct.unpack(">d", bytes.fromhex("7ff8000000000001"))[0]


def changed(rows, step, name, value):
    return [(s, n, value if (s, n) == (step, name) else v) for s, n, v in rows]


def without(rows, step, name):
    return [row for row in rows if row[:2] != (step, name)]


@pytest.fixture
def make(tmp_path):
    def make_run(folder, metrics=METRICS, digests=DIGESTS, state=STATE, step=4, run="a" * 32):
        path = tmp_path / folder / "runs" / "x"
        path.mkdir(parents=True)
        journal = Journal(path / "run.sqlite")
        journal.open(run)
        journal.append(metrics, [], digests)
        journal.close()
        if state is not None:
            Store(path / "checkpoints", run).save(step, pack(state), {"loss": 0.5})
        return tmp_path / folder

    return make_run


def test_equal_executions_of_different_run_ids_have_no_difference(make):
    assert first_difference(make("a"), make("b", run="b" * 32)) is None


def test_earliest_step_is_named_with_metrics_before_state_and_causes_first(make):
    later = changed(METRICS, 3, "accuracy", 9.0)
    found = first_difference(
        make("a"),
        make(
            "b",
            changed(later, 2, "loss", 7.25),
            changed(changed(DIGESTS, 2, LEAVES[1], "f"), 2, LEAVES[0], "f"),
        ),
    )
    assert found is not None
    assert str(found) == (
        "runs/x differs first at step 2:\n"
        "    metric loss: 2.5 uninterrupted, 7.25 after kills\n"
        "    state generators.torch\n"
        "    state objects.model.w"
    )


def test_state_that_differs_before_any_metric_is_named_alone(make):
    found = first_difference(
        make("a"),
        make("b", changed(METRICS, 3, "loss", 0.0), changed(DIGESTS, 1, LEAVES[1], "f")),
    )
    assert found is not None
    assert (found.step, found.parts) == (1, ["state objects.model.w"])


@pytest.mark.parametrize(
    ("one", "two"), [(0.0, -0.0), (math.nan, NAN), (1.0, math.nextafter(1.0, 2.0))]
)
def test_metrics_are_compared_as_bits(make, one, two):
    left = make("a", changed(METRICS, 1, "loss", one))
    assert first_difference(left, make("b", changed(METRICS, 1, "loss", one))) is None
    found = first_difference(left, make("c", changed(METRICS, 1, "loss", two)))
    assert found is not None
    assert found.step == 1


@pytest.mark.parametrize("swapped", [False, True])
def test_row_that_only_one_has_is_a_difference(make, swapped):
    pair = make("a"), make("b", without(METRICS, 2, "loss"), without(DIGESTS, 3, LEAVES[0]))
    found = first_difference(*(pair[::-1] if swapped else pair))
    assert found is not None
    told = "not logged uninterrupted, 2.5 after kills" if swapped else "2.5 uninterrupted, missing"
    assert found.step == 2
    assert told in found.parts[0]


def test_missing_last_steps_are_a_difference(make):
    found = first_difference(make("a"), make("b", METRICS[:6], DIGESTS[:9]))
    assert found is not None
    assert found.step == 3
    assert len(found.parts) == 5


def test_checkpoints_are_compared_when_the_journals_are_equal(make):
    other = {**STATE, "objects": {"model": {"w": torch.tensor([1.0, 1.0, 1.5])}}}
    found = first_difference(make("a"), make("b", state=other))
    assert found is not None
    assert (found.step, found.parts) == (4, ["state objects.model.w"])


def test_newest_checkpoint_of_another_step_is_a_difference(make):
    found = first_difference(make("a"), make("b", step=3))
    assert found is not None
    assert found.parts == [
        "newest checkpoint: step-00000004 uninterrupted, step-00000003 after kills"
    ]
    assert first_difference(make("c"), make("d", state=None)) is not None


def test_run_that_only_one_has_is_a_difference(make, tmp_path):
    (tmp_path / "nothing").mkdir()
    left = make("a")
    for pair in ((left, tmp_path / "nothing"), (tmp_path / "nothing", left)):
        found = first_difference(*pair)
        assert found is not None
        assert found.run == Path("runs/x")


def test_generator_that_nothing_depends_on_can_be_left_out(make):
    pair = (
        make("a"),
        make(
            "b",
            digests=changed(DIGESTS, 1, LEAVES[0], "f"),
            state={**STATE, "generators": {"torch": torch.ones(2)}},
        ),
    )
    found = first_difference(*pair)
    assert found is not None
    assert found.parts == ["state generators.torch"]
    ignored = irrelevant_leaves(*pair)
    assert ignored == {"generators.torch"}
    assert first_difference(*pair, ignored) is None


def test_object_is_never_irrelevant(make):
    pair = make("a"), make("b", digests=changed(DIGESTS, 1, LEAVES[1], "f"))
    assert irrelevant_leaves(*pair) == set()
