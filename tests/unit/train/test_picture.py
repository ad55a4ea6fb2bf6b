"""The picture of a run shows what its journal holds, whatever came between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from refluid.loop import Stopped
from refluid.observe.journal import Journal
from refluid.train.config import TrainConfig
from refluid.train.picture import draw_run
from refluid.train.program import Outcome, Score, train

CONFIG = TrainConfig(epochs=3, batch_size=32)


def test_picture_of_a_resumed_run_is_that_of_a_whole_one(tmp_path, data, recorder):
    whole = train(replace(CONFIG, out=tmp_path / "whole"), data, recorder())
    with pytest.raises(Stopped):
        train(replace(CONFIG, out=tmp_path / "stopped"), data, recorder(stop_in=5))
    resumed = train(replace(CONFIG, out=tmp_path / "stopped"), data, recorder())
    drawn = [draw_run(outcome, data.name) for outcome in (whole, resumed)]
    assert drawn == [tmp_path / name / "curves.png" for name in ("whole", "stopped")]
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [(k, name, 1.0 / (k + 1)) for k in range(7, 400) for name in ("loss", "accuracy")],
        [(k, "loss", float("nan")) for k in range(3)],
    ],
    ids=["nothing", "the end alone", "no numbers"],
)
def test_journal_that_is_not_whole_is_drawn_as_far_as_it_goes(tmp_path, rows):
    journal = Journal(tmp_path / "run.sqlite")
    journal.open()
    journal.append(rows)
    journal.close()
    outcome = Outcome(
        test=Score(0.1, 0.9),
        num_epochs=100,
        steps_per_epoch=4,
        directory=tmp_path,
        parameters=tmp_path / "model.pdparams",
        optimizer=tmp_path / "model.pdopt",
    )
    path = draw_run(outcome, "digits")
    assert path is not None
    assert path.stat().st_size > 10_000
