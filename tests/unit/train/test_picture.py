"""The picture of a run shows what its journal holds, whatever came between."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from refluid.loop import Stopped
from refluid.observe.journal.journal import Journal
from refluid.train.config import TrainConfig
from refluid.train.picture import draw_run
from refluid.train.program import Outcome, Score, train

CONFIG = TrainConfig(epochs=3, batch_size=32)


def test_resumed_run_is_drawn_as_a_whole_one_with_a_mark(tmp_path, data, recorder):
    whole = train(replace(CONFIG, out=tmp_path / "whole"), data, recorder())
    with pytest.raises(Stopped):
        train(replace(CONFIG, out=tmp_path / "stopped"), data, recorder(stop_in=5))
    resumed = train(replace(CONFIG, out=tmp_path / "stopped"), data, recorder())
    drawn = [draw_run(outcome, data.name) for outcome in (whole, resumed)]
    assert drawn == [tmp_path / name / "curves.png" for name in ("whole", "stopped")]
    # with the start that resumed it taken away, nothing tells the one from the other
    with sqlite3.connect(drawn[1].with_name("run.sqlite")) as journal:
        journal.execute("DELETE FROM start WHERE from_step > 0")
    journal.close()
    marked = drawn[1].read_bytes()
    draw_run(resumed, data.name)
    assert marked != drawn[0].read_bytes()
    assert drawn[1].read_bytes() == drawn[0].read_bytes()


def outcome_in(directory: Path) -> Outcome:
    return Outcome(
        test=Score(0.1, 0.9),
        num_epochs=100,
        steps_per_epoch=4,
        directory=directory,
        parameters=directory / "model.pdparams",
        optimizer=directory / "model.pdopt",
    )


def write(directory: Path, rows: list[tuple[int, str, float]]) -> None:
    journal = Journal(directory / "run.sqlite")
    journal.open()
    journal.append(rows)
    journal.close()


@pytest.mark.parametrize(
    "rows",
    [
        [(k, name, 1.0 / (k + 1)) for k in range(7, 400) for name in ("loss", "accuracy")],
        [(k, "loss", float("nan")) for k in range(3)],
    ],
    ids=["the end alone", "no numbers"],
)
def test_journal_that_is_not_whole_is_drawn_as_far_as_it_goes(tmp_path, rows):
    write(tmp_path, rows)
    path = draw_run(outcome_in(tmp_path), "digits")
    assert path is not None
    assert path.stat().st_size > 10_000


def test_run_whose_journal_was_lost_has_no_picture(tmp_path):
    write(tmp_path, [])
    assert draw_run(outcome_in(tmp_path), "digits") is None
