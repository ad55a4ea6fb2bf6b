from __future__ import annotations

import pytest

from refluid.distributed.server.plan import ServerPlan
from refluid.errors import DistributedError

PLAN = ServerPlan(
    num_servers=2, num_trainers=3, mode="async", staleness=0, address="127.0.0.1:1", namespace="n"
)


def test_a_plan_comes_back_from_its_text():
    assert ServerPlan.decode(PLAN.encode()) == PLAN


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_servers", 0),
        ("num_trainers", 0),
        ("staleness", -1),
        ("staleness", True),
        ("save_every_steps", 0),
        ("mode", "both"),
    ],
)
def test_an_impossible_value_is_refused_by_name(name, value):
    given = {"num_servers": 1, "num_trainers": 1, name: value}
    with pytest.raises(DistributedError, match=f"`{name}` must be .* but is {value!r}"):
        ServerPlan(**given)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", PLAN.encode().replace('"n"', "7")])
def test_a_text_of_something_else_is_refused(text):
    with pytest.raises(DistributedError, match="REFLUID_SERVERS is not what a launcher sets"):
        ServerPlan.decode(text)
