"""How far a run is and how each of its processes ended follows from what they wrote down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from refluid.observe.journal.journal import Event, Journal, Start
from refluid.observe.journal.reader import JournalReader
from refluid.observe.run.history import History, Planned, history_of


def plan(step: int, epochs: int, steps: int | None) -> Event:
    text = json.dumps({"epochs": epochs, "steps_per_epoch": steps})
    return Event(step=step, kind="planned", text=text)


def end(step: int, kind: str, text: str = "") -> Event:
    return Event(step=step, kind=kind, text=text)


def history(
    folder: Path, processes: Sequence[tuple[int, Sequence[Event]]], num_steps: int = 0
) -> History:
    """Return the history of processes that begin at a step and note events."""
    journal = Journal(folder / "run.sqlite")
    journal.open()
    for from_step, events in processes:
        journal.start(
            Start(pid=7, host="h", argv=[], from_step=from_step, environment={}, config={})
        )
        journal.cut(from_step, Event(step=from_step, kind="resumed" if from_step else "began"))
        journal.append(events=events)
    journal.append([(step, "loss", 1.0) for step in range(num_steps)])
    journal.close()
    with JournalReader(folder / "run.sqlite") as reader:
        return history_of(reader)


def ends(found: History) -> list[tuple[str, str]]:
    return [(attempt.end, attempt.why) for attempt in found.attempts]


def test_each_process_has_the_end_that_it_wrote_down(tmp_path):
    found = history(
        tmp_path,
        [
            (0, [end(5, "stopped", "SIGTERM")]),
            (5, []),
            (3, [end(4, "error", "ValueError: x")]),
            (3, [end(9, "complete")]),
        ],
        num_steps=9,
    )
    assert ends(found) == [
        ("stopped", "SIGTERM"),
        ("killed", ""),
        ("failed", "ValueError: x"),
        ("complete", ""),
    ]
    assert (found.state, found.num_kills, found.resume_steps) == ("complete", 1, [5, 3, 3])


@pytest.mark.parametrize(
    ("last", "state"),
    [
        ([end(5, "stopped", "max_time_s")], "stopped (max_time_s)"),
        ([end(5, "error", "ValueError: x")], "failed"),
        ([end(5, "early stop", "no better"), end(5, "complete")], "complete"),
        ([], "ended"),
    ],
)
def test_state_is_that_of_the_last_process(tmp_path, last, state):
    found = history(tmp_path, [(0, [end(2, "complete")]), (2, last)], num_steps=5)
    assert (found.state, found.step, found.pid) == (state, 5, None)


def test_lock_that_was_never_given_back_is_a_kill(tmp_path):
    (tmp_path / "run.lock").write_text("process 12 on somewhere\n")
    assert history(tmp_path, [(0, [])]).state == "killed"


def test_journal_without_a_start_has_not_begun(tmp_path):
    found = history(tmp_path, [])
    assert (found.state, found.step, found.progress) == ("not begun", 0, None)


def test_start_that_was_killed_at_once_has_no_events_of_others(tmp_path):
    journal = Journal(tmp_path / "run.sqlite")
    journal.open()
    for from_step, is_whole in ((0, True), (4, False), (6, True)):
        journal.start(
            Start(pid=7, host="h", argv=[], from_step=from_step, environment={}, config={})
        )
        if is_whole:
            journal.cut(from_step, Event(step=from_step, kind="began"))
            journal.append(events=[end(from_step, "stopped", str(from_step))])
    journal.close()
    with JournalReader(tmp_path / "run.sqlite") as reader:
        assert ends(history_of(reader)) == [("stopped", "0"), ("killed", ""), ("stopped", "6")]


def test_progress_is_of_the_steps_that_are_planned(tmp_path):
    found = history(tmp_path, [(0, [plan(0, 4, 10)])], num_steps=25)
    assert found.planned == Planned(0, 4, 10)
    assert (found.planned_steps, found.epochs, found.progress) == (40, 2.5, 0.625)


def test_loop_that_goes_on_is_planned_from_its_own_beginning(tmp_path):
    found = history(tmp_path, [(0, [plan(0, 4, 10)]), (13, [plan(13, 6, 10)])], num_steps=15)
    assert (found.planned, found.epochs) == (Planned(0, 6, 10), 1.5)


def test_second_loop_goes_on_from_the_end_of_the_first(tmp_path):
    first = (0, [plan(0, 2, 10), plan(20, 3, 5)])
    found = history(tmp_path, [first], num_steps=25)
    assert (found.planned, found.planned_steps, found.epochs) == (Planned(20, 3, 5), 35, 1.0)


def test_second_loop_that_is_resumed_keeps_its_beginning(tmp_path):
    processes = [(0, [plan(0, 2, 10), plan(20, 3, 5)]), (27, [plan(27, 3, 5)])]
    assert history(tmp_path, processes, num_steps=28).planned == Planned(20, 3, 5)


def test_resume_before_the_second_loop_forgets_it(tmp_path):
    processes = [(0, [plan(0, 2, 10), plan(20, 3, 5)]), (8, [plan(8, 2, 10)])]
    assert history(tmp_path, processes, num_steps=9).planned == Planned(0, 2, 10)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"epochs": 2}', '{"epochs": "2", "steps_per_epoch": 1}', "[" * 9999],
)
def test_plan_that_is_none_is_left_out(tmp_path, text):
    found = history(tmp_path, [(0, [end(0, "planned", text)])], num_steps=3)
    assert (found.planned, found.progress, found.step) == (None, None, 3)


def test_epochs_of_unknown_length_have_no_progress(tmp_path):
    found = history(tmp_path, [(0, [plan(0, 4, None)])], num_steps=3)
    assert (found.planned, found.epochs, found.progress) == (Planned(0, 4, None), None, None)


def test_run_that_logs_nothing_is_as_far_as_it_is_saved(tmp_path):
    saved = [end(5, "saved", "epoch"), end(10, "saved", "epoch")]
    assert history(tmp_path, [(0, saved)]).step == 10


def test_what_was_saved_before_a_resume_does_not_count(tmp_path):
    processes = [(0, [end(10, "saved")]), (5, [])]
    assert history(tmp_path, processes).step == 5
