"""What can be chosen about a run is checked at once."""

from __future__ import annotations

import math

import pytest

from refluid.loop.plan import Plan


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("save_every_s", 0), ("save_every_s", -1.0), ("save_every_s", math.nan),
        ("save_every_s", "30"), ("save_every_steps", 0), ("save_every_steps", 2.5),
        ("save_every_steps", True), ("keep_last", 0), ("keep_last", 1.0), ("max_time_s", 0.0),
        ("resume", "yes"),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_named_with_what_came(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must .* received {value!r}"):
        Plan(**{name: value})


def test_two_bests_exclude_each_other():
    with pytest.raises(ValueError, match="exclude each other"):
        Plan(keep_highest="accuracy", keep_lowest="loss")


def test_best_is_highest_for_the_checkpoint_to_keep():
    loss = {"loss": 0.5, "accuracy": 0.9}
    assert Plan().best() is None
    assert Plan(keep_highest="accuracy").best()(loss) == 0.9
    assert Plan(keep_lowest="loss").best()(loss) == -0.5
    assert math.isnan(Plan(keep_lowest="other").best()(loss))
