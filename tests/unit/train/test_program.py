"""The ready-made program learns, repeats itself, goes on exactly, and says what does not fit."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from refluid.checkpoint import read_state
from refluid.data import DataSet, LabeledImages
from refluid.errors import CheckpointError, DataError
from refluid.train.config import Decay, OptimizerName, TrainConfig
from refluid.train.program import train

CONFIG = TrainConfig(epochs=3, batch_size=32)


def parameters_of(out: Path) -> bytes:
    state = read_state(str(out / "model.pdparams"))
    return b"".join(state[name].tobytes() for name in sorted(state) if "@@" not in name)


def test_loss_falls_and_what_was_measured_is_told_and_kept(tmp_path, data, recorder):
    told = recorder()
    outcome = train(replace(CONFIG, epochs=8, out=tmp_path), data, told)
    assert told.begun == (0, 4, 11_350)
    assert [step.number for step in told.steps] == list(range(8 * 4))
    assert [epoch.number for epoch in told.epochs] == list(range(1, 9))
    assert outcome.history.steps == told.steps
    assert outcome.history.epochs == told.epochs
    assert told.epochs[-1].train.loss < told.epochs[0].train.loss / 2
    assert told.epochs[-1].valid.accuracy > 0.6
    assert outcome.test.accuracy > 0.6
    files = {"curves.png", "model.pdopt", "model.pdparams"}
    assert {path.name for path in tmp_path.iterdir()} == files
    assert {outcome.curves, outcome.optimizer, outcome.parameters} == set(tmp_path.iterdir())


def test_mean_of_an_epoch_weighs_each_image_once(tmp_path, data, recorder):
    told = recorder()
    train(replace(CONFIG, epochs=1, out=tmp_path), data, told)
    right = sum(
        round(step.score.accuracy * n) for step, n in zip(told.steps, (32, 32, 32, 4), strict=True)
    )
    assert told.epochs[0].train.accuracy == pytest.approx(right / 100, abs=1e-6)


def test_same_seed_gives_the_same_bits_and_another_does_not(tmp_path, data, recorder):
    losses = []
    for k, seed in enumerate((1, 1, 2)):
        told = recorder()
        train(replace(CONFIG, seed=seed, out=tmp_path / str(k)), data, told)
        losses.append(told.losses())
    assert losses[0] == losses[1] != losses[2]
    assert parameters_of(tmp_path / "0") == parameters_of(tmp_path / "1")


@pytest.mark.parametrize(
    ("optimizer", "decay"),
    [(name, Decay.POLYNOMIAL) for name in OptimizerName]
    + [(OptimizerName.ADAM, decay) for decay in Decay],
)
def test_stopped_run_goes_on_bit_for_bit(tmp_path, data, recorder, optimizer, decay):
    config = replace(CONFIG, optimizer=optimizer, decay=decay, l2=1e-3)
    whole, begin, rest = recorder(), recorder(stop_after=1), recorder()
    train(replace(config, out=tmp_path / "whole"), data, whole)
    with pytest.raises(KeyboardInterrupt):
        train(replace(config, out=tmp_path / "stopped"), data, begin)
    train(replace(config, out=tmp_path / "stopped", load=tmp_path / "stopped"), data, rest)
    assert rest.begun == (1, 4, 11_350)
    assert begin.losses() + rest.losses() == whole.losses()
    assert parameters_of(tmp_path / "stopped") == parameters_of(tmp_path / "whole")


@pytest.mark.parametrize("decay", Decay)
def test_rate_falls_from_the_first_to_nearly_nothing(tmp_path, data, recorder, decay):
    config = replace(CONFIG, optimizer=OptimizerName.SGD, lr=1e-3, decay=decay, out=tmp_path)
    weights = []

    class Weights(recorder):
        def epoch(self, epoch):
            weights.append(read_state(str(tmp_path / "model.pdparams"))["fc.bias"])

    train(replace(config, epochs=10), data, Weights())
    moves = [np.abs(b - a).max() for a, b in pairwise(weights)]
    share = moves[-1] / moves[0]
    assert share > 0.5 if decay is Decay.NONE else share < 0.2


def test_l2_makes_weights_smaller(tmp_path, data, recorder):
    sizes = []
    for l2 in (0.0, 0.05):
        train(replace(CONFIG, epochs=5, l2=l2, out=tmp_path), data, recorder())
        sizes.append(np.abs(read_state(str(tmp_path / "model.pdparams"))["fc.weight"]).mean())
    assert sizes[1] < 0.9 * sizes[0]


def test_parameters_alone_are_a_beginning(tmp_path, data, recorder):
    before, told = recorder(), recorder()
    train(replace(CONFIG, out=tmp_path), data, before)
    (tmp_path / "model.pdopt").unlink()
    # also by the files' common name, as `save_dygraph` takes it
    train(replace(CONFIG, out=tmp_path / "b", load=tmp_path / "model"), data, told)
    assert told.begun == (0, 4, 11_350)
    assert told.epochs[0].train.loss < before.epochs[-1].train.loss


def test_run_that_is_complete_has_nothing_to_go_on_with(tmp_path, data, recorder):
    train(replace(CONFIG, out=tmp_path), data, recorder())
    with pytest.raises(CheckpointError, match=r"has 3 epochs behind it.*ask for more than 3"):
        train(replace(CONFIG, out=tmp_path, load=tmp_path), data, recorder())


def test_optimizer_of_another_kind_is_refused(tmp_path, data, recorder):
    train(replace(CONFIG, out=tmp_path), data, recorder())
    config = replace(CONFIG, epochs=5, optimizer=OptimizerName.MOMENTUM)
    with pytest.raises(CheckpointError, match="not of a run with `optimizer` momentum"):
        train(replace(config, out=tmp_path / "b", load=tmp_path), data, recorder())


def test_network_for_other_images_is_refused(tmp_path, data, recorder):
    def enlarged(part: LabeledImages) -> LabeledImages:
        images = np.repeat(part.images, 2, axis=3)
        return LabeledImages(images=images, labels=part.labels, source=part.source)

    wide = DataSet(
        name="wide", **{k: enlarged(getattr(data, k)) for k in ("train", "valid", "test")}
    )
    train(replace(CONFIG, out=tmp_path), data, recorder())
    with pytest.raises(CheckpointError, match=r"fc.weight is \(80, 10\) and not \(160, 10\)"):
        train(replace(CONFIG, out=tmp_path / "b", load=tmp_path), wide, recorder())


def test_missing_run_is_named(tmp_path, data, recorder):
    for load in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(CheckpointError, match=r"holds no saved run: expected .*\.pdparams"):
            train(replace(CONFIG, out=tmp_path / "b", load=load), data, recorder())


def test_damaged_run_is_named(tmp_path, data, recorder):
    train(replace(CONFIG, out=tmp_path), data, recorder())
    path = tmp_path / "model.pdopt"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"model\.pdopt"):
        train(replace(CONFIG, out=tmp_path / "b", load=tmp_path), data, recorder())


def test_folder_that_cannot_be_made_is_named_before_training(tmp_path, data, recorder):
    (tmp_path / "file").write_text("")
    told = recorder()
    with pytest.raises(CheckpointError, match="file cannot be made a folder"):
        train(replace(CONFIG, out=tmp_path / "file"), data, told)
    assert told.begun is None


def test_images_that_are_too_small_are_refused(tmp_path, recorder):
    part = LabeledImages(
        images=np.zeros((4, 1, 3, 3), np.float32), labels=np.zeros(4, np.int64), source="tiny"
    )
    tiny = DataSet(name="tiny", train=part, valid=part, test=part)
    with pytest.raises(DataError, match="at least 4x4 pixels, but they are 3x3"):
        train(replace(CONFIG, out=tmp_path), tiny, recorder())
