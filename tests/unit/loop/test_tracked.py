"""States find their objects, and nothing is left over or missing in silence."""

from __future__ import annotations

import pytest
import torch

from refluid.errors import CheckpointError, RunError, StateError
from refluid.loop.tracked import Tracked


def states(*names):
    tracked = Tracked()
    for name in names:
        tracked.add(name, torch.zeros(1))
    return tracked.capture()


def test_a_waiting_state_is_restored_when_its_object_comes():
    before, after = Tracked(), Tracked()
    before.add("weight", torch.arange(3.0))
    after.await_states(before.capture())
    weight = torch.zeros(3)
    after.add("weight", weight)
    after.check_complete()
    assert weight.tolist() == [0.0, 1.0, 2.0]


def test_what_has_no_state_is_refused_by_name():
    with pytest.raises(StateError, match="`function`"):
        Tracked().add("function", print)


def test_one_name_is_for_one_object():
    tracked = Tracked()
    tracked.add("x", torch.zeros(1))
    with pytest.raises(RunError, match="`x` is tracked already"):
        tracked.add("x", torch.zeros(1))


def test_nothing_tracked_is_refused():
    with pytest.raises(RunError, match="nothing is tracked"):
        Tracked().check_complete()


def test_what_the_checkpoint_has_not_is_named():
    tracked = Tracked()
    tracked.await_states(states("model"))
    with pytest.raises(CheckpointError, match="no state of `net`, but of `model`"):
        tracked.add("net", torch.zeros(1))


def test_what_only_the_checkpoint_has_is_named():
    tracked = Tracked()
    tracked.await_states(states("model", "average"))
    tracked.add("model", torch.zeros(1))
    with pytest.raises(CheckpointError, match="state of `average`, which the program no longer"):
        tracked.check_complete()
