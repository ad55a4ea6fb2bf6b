"""States find their objects, and nothing is left over or missing in silence."""

from __future__ import annotations

import pytest
import torch

from refluid.errors import CheckpointError, RunError, StateError
from refluid.loop.tracked import Tracked


def tracking(**objects):
    tracked = Tracked()
    for name, obj in objects.items():
        tracked.add(name, obj)
    return tracked


def test_states_find_their_objects():
    before = tracking(weight=torch.arange(3.0), other=torch.ones(1))
    weight, other = torch.zeros(3), torch.zeros(1)
    tracking(other=other, weight=weight).restore(before.capture())
    assert (weight.tolist(), other.tolist()) == ([0.0, 1.0, 2.0], [1.0])


def test_what_has_no_state_is_refused_by_name():
    with pytest.raises(StateError, match="`function`"):
        tracking(function=print)


def test_one_name_is_for_one_object():
    tracked = tracking(x=torch.zeros(1))
    with pytest.raises(RunError, match="`x` is tracked already"):
        tracked.add("x", torch.zeros(1))


def test_nothing_tracked_is_refused():
    with pytest.raises(RunError, match="nothing is tracked"):
        Tracked().check_any()


def test_what_the_checkpoint_has_not_is_named():
    states = tracking(model=torch.zeros(1)).capture()
    with pytest.raises(CheckpointError, match="no state of `net`, but of `model`"):
        tracking(net=torch.zeros(1)).restore(states)


def test_what_only_the_checkpoint_has_is_named():
    states = tracking(model=torch.zeros(1), average=torch.zeros(1)).capture()
    with pytest.raises(CheckpointError, match="state of `average`, which the program no longer"):
        tracking(model=torch.zeros(1)).restore(states)
