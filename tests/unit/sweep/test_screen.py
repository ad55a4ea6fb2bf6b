"""What is shown is a line for each trial and a table, and nothing in it acts on the terminal."""

from __future__ import annotations

import pytest

from refluid.sweep.ledger import COMPLETE, FAILED, RUNNING, Trial
from refluid.sweep.screen import Screen
from refluid.sweep.sweep import Result
from refluid.sweep.table import in_order, write_table

TRIALS = [
    Trial(number=1, values={"x": "0.5", "mode": "a"}, state=COMPLETE, value=0.5, num_steps=1234),
    Trial(number=2, values={"x": "0.25", "mode": "[red]\x1b[31m"}, state=FAILED, why="fell"),
    Trial(number=3, values={"x": "0.125", "mode": "b"}, state=COMPLETE, value=2 / 3, num_steps=7),
]


@pytest.fixture
def screen(plan, tmp_path):
    def make(num_trials=3, **options) -> Screen:
        return Screen(plan("x=0.0..1.0", "mode=a,b", **options), num_trials, tmp_path / "sweep")

    return make


def test_table_has_the_best_first_and_the_failed_last(plan, tmp_path):
    tried = plan("x=0.0..1.0", "mode=a,b")
    assert [trial.number for trial in in_order(tried, TRIALS)] == [3, 1, 2]
    write_table(tmp_path / "sweep.csv", tried, TRIALS)
    assert (tmp_path / "sweep.csv").read_bytes() == (
        b"trial,x,mode,valid_accuracy,steps,state\n"
        b"3,0.125,b,0.6666666666666666,7,complete\n"
        b"1,0.5,a,0.5,1234,complete\n"
        b"2,0.25,[red]\x1b[31m,,,failed\n"
    )


def test_result_is_shown_whole_and_harmless(screen, capsys, tmp_path):
    shown = screen()
    shown.conclude(Result(TRIALS, TRIALS[2], {"test_accuracy": 0.98765, "test_loss": 0.5}), None)
    text = capsys.readouterr().out
    assert "\x1b" not in text
    lines = [line.split() for line in text.splitlines() if line.strip()]
    assert lines[0] == ["trial", "x", "mode", "valid_accuracy", "steps"]
    assert lines[2:5] == [
        ["3", "0.125", "b", "0.666667", "7"],
        ["1", "0.5", "a", "0.5", "1,234"],
        ["2", "0.25", "[red]?[31m", "failed"],
    ]
    assert "best          trial 3: " in text
    assert text.index("test accuracy 98.77%\n") < text.index("test loss     0.5\n")
    assert f"trial 2 fell: see {tmp_path}/sweep/trial-002/output.txt\n" in text
    assert "not drawn: pip install 'refluid[plot]'" in text


def test_each_trial_has_its_line(screen, capsys):
    shown = screen()
    with shown.shown():
        shown.opened([])
        for number, trial in enumerate(TRIALS, 1):
            shown.began(trial, again=False)
            shown.ended(trial, TRIALS[:number])
        shown.testing(TRIALS[2])
    said = capsys.readouterr()
    assert said.out.splitlines()[-3:] == [
        "trial 1       x 0.5, mode a: valid_accuracy 0.5, the best so far",
        "trial 2       x 0.25, mode [red]?[31m: failed, as it fell",
        "trial 3       x 0.125, mode b: valid_accuracy 0.666667, the best so far",
    ]
    assert "--x           from 0.0 to 1.0\n" in said.out
    assert "judged by     highest valid_accuracy\n" in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("trials", "num_trials", "expected"),
    [
        (TRIALS, 3, "is complete: 3 of 3 trials have ended"),
        (TRIALS, 4, "goes on: 3 of 4 trials have ended"),
        ([*TRIALS, Trial(number=4, values={}, state=RUNNING)], 4, "goes on: 3 of 4"),
    ],
)
def test_sweep_that_goes_on_says_so(screen, capsys, tmp_path, trials, num_trials, expected):
    shown = screen(num_trials)
    with shown.shown():
        shown.opened(trials)
    assert f"sweep         {tmp_path / 'sweep'} {expected}" in capsys.readouterr().out


def test_loss_that_is_to_be_high_is_pointed_out(plan, tmp_path, capsys):
    from dataclasses import replace

    tried = replace(plan("x=0.0..1.0"), metric="valid_loss")
    for minimize in (False, True):
        shown = Screen(replace(tried, minimize=minimize), 3, tmp_path)
        with shown.shown():
            shown.opened([])
        told = capsys.readouterr().err
        assert ("add --minimize" in told) == (not minimize)
