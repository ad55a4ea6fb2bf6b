"""The ready-made program learns, repeats itself, goes on exactly, and says what does not fit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from refluid.checkpoint import read_state
from refluid.data import DataSet, LabeledImages
from refluid.errors import DataError, RunError
from refluid.loop import RESUMABLE, Stopped
from refluid.observe.journal.reader import JournalReader
from refluid.train.config import Decay, OptimizerName, TrainConfig
from refluid.train.program import train

CONFIG = TrainConfig(epochs=3, batch_size=32)
STEPS_PER_EPOCH = 4

# trains as CONFIG does; killed by itself within the step that the second argument names
PROGRAM = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from conftest import Recorder, data
from refluid.train.config import TrainConfig
from refluid.train.program import train
import signal
config = TrainConfig(epochs=3, batch_size=32, out=Path(sys.argv[1]))
train(config, data.__wrapped__(), Recorder(int(sys.argv[2]), signal.SIGKILL))
"""


def parameters_of(out: Path) -> bytes:
    state = read_state(str(out / "model.pdparams"))
    return b"".join(state[name].tobytes() for name in sorted(state) if "@@" not in name)


def files_of(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in ("model.pdparams", "model.pdopt")]


def journal_of(out: Path) -> list[tuple[int, str, str]]:
    with JournalReader(out / "run.sqlite") as journal:
        return [
            (step, name, value.hex())
            for step, name, value in journal.metrics()
            if not name.endswith("_per_s")
        ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, data) -> Path:
    """The folder of a run that nothing has stopped."""
    out = tmp_path_factory.mktemp("whole")
    train(replace(CONFIG, out=out), data, Ignoring())
    return out


class Ignoring:
    def begin(self, *told):
        pass

    step = epoch = begin


def test_loss_falls_and_what_was_measured_is_told_and_kept(tmp_path, data, recorder):
    told = recorder()
    outcome = train(replace(CONFIG, epochs=8, out=tmp_path), data, told)
    assert told.begun == (STEPS_PER_EPOCH, 11_350)
    assert [number for number, _ in told.steps] == list(range(8 * STEPS_PER_EPOCH))
    assert [number for number, _, _ in told.epochs] == list(range(1, 9))
    (_, first, _), *_, (_, last, valid) = told.epochs
    assert last.loss < first.loss / 2
    assert valid.accuracy > 0.6
    assert outcome.test.accuracy > 0.6
    assert outcome.num_epochs == 8
    files = {"checkpoints", "model.pdopt", "model.pdparams", "run.lock", "run.sqlite"}
    assert {path.name for path in tmp_path.iterdir()} == files
    assert {outcome.optimizer, outcome.parameters} < set(tmp_path.iterdir())
    told_rows = [(number, "loss", score.loss.hex()) for number, score in told.steps]
    assert [row for row in journal_of(tmp_path) if row[1] == "loss"] == told_rows


def test_training_score_of_an_epoch_is_the_mean_of_its_steps(tmp_path, data, recorder):
    told = recorder()
    train(replace(CONFIG, epochs=2, out=tmp_path), data, told)
    for number, mean, _ in told.epochs:
        steps = told.steps[(number - 1) * STEPS_PER_EPOCH : number * STEPS_PER_EPOCH]
        assert mean.loss == pytest.approx(fmean(score.loss for _, score in steps))
        assert mean.accuracy == pytest.approx(fmean(score.accuracy for _, score in steps))


def test_same_seed_gives_the_same_bits_and_another_does_not(tmp_path, data, whole):
    for seed in (1, 2):
        train(replace(CONFIG, seed=seed, out=tmp_path / str(seed)), data, Ignoring())
    assert journal_of(tmp_path / "1") == journal_of(whole) != journal_of(tmp_path / "2")
    assert files_of(tmp_path / "1") == files_of(whole)


@pytest.mark.parametrize(
    ("optimizer", "decay"),
    [(name, Decay.POLYNOMIAL) for name in OptimizerName]
    + [(OptimizerName.ADAM, decay) for decay in Decay],
)
def test_stopped_run_loses_nothing_and_goes_on_bit_for_bit(
    tmp_path, data, recorder, optimizer, decay
):
    config = replace(CONFIG, optimizer=optimizer, decay=decay, l2=1e-3)
    train(replace(config, out=tmp_path / "whole"), data, Ignoring())
    again = recorder()
    for told in (recorder(stop_in=1), recorder(stop_in=6)):
        with pytest.raises(Stopped) as stopped:
            train(replace(config, out=tmp_path / "stopped"), data, told)
        assert stopped.value.code == RESUMABLE
    train(replace(config, out=tmp_path / "stopped"), data, again)
    assert told.steps[0][0] == 2
    assert again.steps[0][0] == 7
    assert journal_of(tmp_path / "stopped") == journal_of(tmp_path / "whole")
    assert files_of(tmp_path / "stopped") == files_of(tmp_path / "whole")


@pytest.mark.slow
def test_killed_within_an_epoch_it_comes_to_the_same_journal_and_files(
    tmp_path, data, whole, capfd
):
    # within the first epoch, when nothing but the beginning is saved, and within the third
    for kill_in in (2, 10):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path), str(kill_in)],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
    train(replace(CONFIG, out=tmp_path), data, Ignoring())
    assert "goes on after step" in capfd.readouterr().err
    assert journal_of(tmp_path) == journal_of(whole)
    assert files_of(tmp_path) == files_of(whole)


def test_complete_run_is_tested_again(tmp_path, data, recorder):
    first = train(replace(CONFIG, out=tmp_path), data, Ignoring())
    before = files_of(tmp_path), journal_of(tmp_path)
    told = recorder()
    assert train(replace(CONFIG, out=tmp_path), data, told) == first
    assert told.steps == told.epochs == []
    assert (files_of(tmp_path), journal_of(tmp_path)) == before


def test_complete_run_is_trained_on_with_more_epochs(tmp_path, data, recorder, capfd):
    train(replace(CONFIG, out=tmp_path), data, Ignoring())
    told = recorder()
    outcome = train(replace(CONFIG, epochs=4, out=tmp_path), data, told)
    assert "`epochs` in config: 3 before, 4 now" in capfd.readouterr().err
    assert [number for number, _ in told.steps] == list(range(12, 16))
    assert outcome.num_epochs == 4
    assert [step for step, name, _ in journal_of(tmp_path) if name == "loss"] == list(range(16))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("batch_size", 16, "`batch_size` 32 and not 16"),
        ("optimizer", OptimizerName.SGD, "`optimizer` adam and not sgd, `lr` 0.005 and not 0.1"),
        ("lr", 0.1, "`lr` 0.005 and not 0.1"),
        ("decay", Decay.NONE, "`decay` polynomial and not none"),
        ("l2", 0.5, "`l2` 0.0 and not 0.5"),
        ("seed", 2, "`seed` 1 and not 2"),
    ],
)
def test_run_is_not_gone_on_with_by_other_settings(whole, data, name, value, expected):
    before = files_of(whole), journal_of(whole)
    with pytest.raises(RunError, match=f"was begun with {expected}: give the same again"):
        train(replace(CONFIG, out=whole, **{name: value}), data, Ignoring())
    assert (files_of(whole), journal_of(whole)) == before


def test_run_is_not_gone_on_with_by_other_data(whole, data):
    images = data.train.images.copy()
    images[0, 0, 0, 0] += 0.5
    part = LabeledImages(images=images, labels=data.train.labels, source="changed")
    changed = DataSet(name="changed", train=part, valid=data.valid, test=data.test)
    with pytest.raises(RunError, match=r"`data` 100 images of 8x8 \(\w+\) and not 100 images of"):
        train(replace(CONFIG, out=whole), changed, Ignoring())


@pytest.mark.parametrize("decay", Decay)
def test_rate_falls_from_the_first_to_nearly_nothing(tmp_path, data, recorder, decay):
    config = replace(CONFIG, optimizer=OptimizerName.SGD, lr=1e-3, decay=decay, out=tmp_path)
    weights = []

    class Weights(recorder):
        def epoch(self, *told):
            weights.append(read_state(str(tmp_path / "model.pdparams"))["fc.bias"])

    train(replace(config, epochs=10), data, Weights())
    moves = [np.abs(b - a).max() for a, b in pairwise(weights)]
    share = moves[-1] / moves[0]
    assert share > 0.5 if decay is Decay.NONE else share < 0.2


def test_l2_makes_weights_smaller(tmp_path, data):
    sizes = []
    for l2 in (0.0, 0.05):
        out = tmp_path / str(l2)
        train(replace(CONFIG, epochs=5, l2=l2, out=out), data, Ignoring())
        sizes.append(np.abs(read_state(str(out / "model.pdparams"))["fc.weight"]).mean())
    assert sizes[1] < 0.9 * sizes[0]


def test_images_that_are_too_small_are_refused(tmp_path):
    part = LabeledImages(
        images=np.zeros((4, 1, 3, 3), np.float32), labels=np.zeros(4, np.int64), source="tiny"
    )
    tiny = DataSet(name="tiny", train=part, valid=part, test=part)
    with pytest.raises(DataError, match="at least 4x4 pixels, but they are 3x3"):
        train(replace(CONFIG, out=tmp_path), tiny, Ignoring())


def test_folder_that_cannot_be_made_is_named_before_training(tmp_path, data, recorder):
    (tmp_path / "file").write_text("")
    told = recorder()
    with pytest.raises(RunError, match="file cannot be made a directory"):
        train(replace(CONFIG, out=tmp_path / "file"), data, told)
    assert told.begun is None
