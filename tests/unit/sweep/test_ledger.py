"""The file of a sweep gives back what was written, and is not taken for another one."""

from __future__ import annotations

import json

import pytest

from refluid.errors import RunError
from refluid.sweep.ledger import COMPLETE, FAILED, RUNNING, Ledger

TRY = ("x=0.0..1.0", "mode=a,b")
VALUES = {"x": "0.1", "mode": "a"}


@pytest.fixture
def written(tmp_path, plan):
    ledger = Ledger(tmp_path / "sweep.json", plan(*TRY))
    assert not ledger.open()
    ledger.begin(VALUES)
    ledger.end(state=COMPLETE, value=0.1 + 0.2, num_steps=7)
    ledger.begin({"x": "0.2", "mode": "b"})
    ledger.end(state=FAILED, why="fell", last_lines="over\ne")
    ledger.begin({"x": "0.3", "mode": "b"})
    ledger.note_test(1, {"test_accuracy": 1 / 3})
    return ledger


def test_what_was_written_is_read_to_the_bit(written, plan):
    found = Ledger(written.path, plan(*TRY))
    assert found.open()
    assert found.trials == written.trials
    assert [trial.state for trial in found.trials] == [COMPLETE, FAILED, RUNNING]
    assert found.trials[0].value == 0.1 + 0.2
    assert (found.tested, found.test) == (1, {"test_accuracy": 1 / 3})


@pytest.mark.parametrize(
    ("tried", "options", "expected"),
    [
        (("x=0.0..1.0", "mode=a,b,c"), {}, "try: x from 0.0 to 1.0, mode a, b"),
        (("mode=a,b", "x=0.0..1.0"), {}, "try: "),
        (TRY, {"minimize": True}, "minimize: false"),
        (TRY, {"seed": 2}, "seed: 1"),
        (TRY, {"words": ["--steps", "9"]}, "command: "),
    ],
)
def test_other_plan_is_refused_and_the_first_one_named(written, plan, tried, options, expected):
    before = written.path.read_bytes()
    with pytest.raises(RunError, match="was begun differently") as caught:
        Ledger(written.path, plan(*tried, **options)).open()
    assert f"({expected}" in str(caught.value)
    assert "another `--out`" in str(caught.value)
    assert written.path.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: [],
        lambda plain: {"format": 1},
        lambda plain: {**plain, "trials": [{}]},
        lambda plain: {**plain, "trials": [{**plain["trials"][0], "value": "high"}]},
        lambda plain: {**plain, "trials": [{**plain["trials"][0], "values": {}}]},
        lambda plain: {**plain, "trials": [{**plain["trials"][0], "values": 3}]},
        lambda plain: {**plain, "trials": [{**plain["trials"][0], "state": RUNNING}]},
        lambda plain: {**plain, "trials": 1},
        lambda plain: {**plain, "test": [1]},
    ],
)
def test_file_that_was_changed_is_refused_and_left(written, plan, change):
    written.path.write_text(json.dumps(change(json.loads(written.path.read_text()))))
    before = written.path.read_bytes()
    with pytest.raises(RunError, match=r"sweep\.json is not the file of a sweep, or was changed"):
        Ledger(written.path, plan(*TRY)).open()
    assert written.path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_file_that_is_no_json_is_refused(written, plan, content):
    written.path.write_bytes(content)
    with pytest.raises(RunError, match=r"sweep\.json (is not|cannot be read)"):
        Ledger(written.path, plan(*TRY)).open()


def test_later_format_is_refused(written, plan):
    plain = json.loads(written.path.read_text()) | {"format": 2}
    written.path.write_text(json.dumps(plain))
    with pytest.raises(RunError, match="another version of refluid"):
        Ledger(written.path, plan(*TRY)).open()


def test_best_is_the_highest_or_lowest_and_of_equals_the_first(tmp_path, plan):
    for minimize, expected in ((False, [2, 3, 1]), (True, [1, 2, 3])):
        ledger = Ledger(tmp_path / f"{minimize}.json", plan(*TRY, minimize=minimize))
        ledger.open()
        for value in (0.1, 0.5, 0.5, None):
            ledger.begin(VALUES)
            ledger.end(state=FAILED if value is None else COMPLETE, value=value)
        ranked = ledger.plan.ranked(ledger.trials)
        assert [trial.number for trial in ranked] == expected
        assert ledger.plan.best(ledger.trials) == ranked[0]
    assert ledger.plan.best([]) is None
