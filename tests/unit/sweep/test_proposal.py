"""What is proposed depends on the seed, the number and the results, and on nothing else."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from refluid.errors import RefluidError
from refluid.sweep.ledger import COMPLETE, FAILED, Trial
from refluid.sweep.proposal import check_optuna, propose

pytestmark = pytest.mark.skipif(find_spec("optuna") is None, reason="optuna is not installed")

TRY = ("x=0.0001..1.0:log", "steps=1..9", "mode=a,b,c")


def result_of(values) -> float:
    x, steps = float(values.get("x", 0)), int(values.get("steps", 0))
    return -abs(x - 0.01) + (values.get("mode") == "b") - steps / 100


def searched(plan, num_trials: int) -> list[Trial]:
    trials: list[Trial] = []
    while len(trials) < num_trials:
        values = propose(plan, trials)
        if values is None:
            break
        number = len(trials) + 1
        failed = number % 5 == 4
        trials.append(
            Trial(
                number=number,
                values=values,
                state=FAILED if failed else COMPLETE,
                value=None if failed else result_of(values),
            )
        )
    return trials


def test_same_seed_and_results_give_the_same_values_at_any_number(plan):
    first = searched(plan(*TRY), 18)
    again = searched(plan(*TRY), 18)
    assert first == again
    # as a sweep does that was killed before this trial, and knows only what is written
    for number in (0, 4, 11, 17):
        assert propose(plan(*TRY), first[:number]) == first[number].values
    assert propose(plan(*TRY, seed=2), []) != first[0].values


def test_results_decide_about_what_is_proposed_then(plan):
    trials = searched(plan(*TRY), 15)
    upward, downward = (propose(plan(*TRY, minimize=low), trials) for low in (False, True))
    assert upward != downward


def test_values_are_in_their_ranges_and_never_tried_twice(plan):
    trials = searched(plan(*TRY), 20)
    assert len({tuple(trial.values.values()) for trial in trials}) == 20
    for trial in trials:
        assert list(trial.values) == ["x", "steps", "mode"]
        assert 0.0001 <= float(trial.values["x"]) <= 1
        assert 1 <= int(trial.values["steps"]) <= 9
        assert trial.values["mode"] in "abc"


def test_search_finds_more_than_chance(plan):
    best = max(trial.value for trial in searched(plan(*TRY), 40) if trial.value is not None)
    assert best > 0.96


def test_every_combination_is_tried_and_then_there_are_none(plan):
    trials = searched(plan("steps=1..3", "mode=a,b"), 100)
    found = {tuple(trial.values.values()) for trial in trials}
    assert len(trials) == len(found) == 6


def test_range_that_is_narrower_than_its_digits_ends_all_the_same(plan):
    low, high = 1.0, 1.0000000000000002
    trials = searched(plan(f"x={low!r}..{high!r}"), 4)
    assert {trial.values["x"] for trial in trials} == {"1", repr(high)}


def test_without_optuna_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(RefluidError, match=r"needs Optuna: pip install 'refluid\[sweep\]'"):
        check_optuna()


def test_module_loads_no_optuna():
    code = (
        "import sys, refluid.sweep.proposal, refluid.sweep.picture, refluid.sweep.table\n"
        "print({'optuna', 'matplotlib', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
