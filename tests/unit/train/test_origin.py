"""A new run begins from what another one saved, and says what does not fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from refluid.data import DataSet, LabeledImages
from refluid.errors import CheckpointError
from refluid.loop import Stopped
from refluid.observe.journal.reader import JournalReader
from refluid.train.config import OptimizerName, TrainConfig
from refluid.train.program import train

CONFIG = TrainConfig(epochs=3, batch_size=32)


@pytest.fixture
def earlier(tmp_path, data, recorder):
    """The folder of a run, and what it told."""
    told = recorder()
    train(replace(CONFIG, out=tmp_path / "a"), data, told)
    return tmp_path / "a", told


def losses_of(out):
    with JournalReader(out / "run.sqlite") as journal:
        return [value.hex() for value in journal.curve("loss")[1]]


def test_new_run_begins_from_parameters_and_moments_with_a_rate_of_its_own(
    tmp_path, data, recorder, earlier
):
    folder, before = earlier
    # also by the files' common name, as `save_dygraph` takes it, and without the moments
    loads = {"both": folder, "name": folder / "model", "alone": folder / "model.pdparams"}
    for out, load in loads.items():
        told = recorder()
        train(replace(CONFIG, out=tmp_path / out, load=load), data, told)
        assert [number for number, _ in told.steps] == list(range(12))
        assert told.epochs[0][1].loss < before.epochs[-1][1].loss
    both, name, alone = (losses_of(tmp_path / out) for out in loads)
    assert both == name
    assert both[0] == alone[0]  # the same parameters
    assert both[1] != alone[1]  # moved by other moments


@pytest.mark.parametrize("stop_in", [0, 5])
@pytest.mark.parametrize("again", [True, False], ids=["load again", "no load"])
def test_begun_run_goes_on_from_its_own_state(tmp_path, data, recorder, earlier, stop_in, again):
    config = replace(CONFIG, load=earlier[0])
    train(replace(config, out=tmp_path / "whole"), data, recorder())
    with pytest.raises(Stopped):
        train(replace(config, out=tmp_path / "b"), data, recorder(stop_in))
    rest = recorder()
    train(replace(config, out=tmp_path / "b", load=earlier[0] if again else None), data, rest)
    assert [number for number, _ in rest.steps] == list(range(stop_in + 1, 12))
    assert losses_of(tmp_path / "b") == losses_of(tmp_path / "whole")


def test_run_that_is_killed_before_its_first_save_keeps_the_loaded_moments(
    tmp_path, data, recorder, earlier
):
    class Breaking(recorder):
        def step(self, number, score):
            raise KeyboardInterrupt

    config = replace(CONFIG, load=earlier[0])
    train(replace(config, out=tmp_path / "whole"), data, recorder())
    with pytest.raises(KeyboardInterrupt):
        train(replace(config, out=tmp_path / "b"), data, Breaking())
    train(replace(config, out=tmp_path / "b"), data, recorder())
    assert losses_of(tmp_path / "b") == losses_of(tmp_path / "whole")


def test_parameters_without_an_optimizer_are_a_beginning(tmp_path, data, recorder, earlier):
    folder, before = earlier
    (folder / "model.pdopt").unlink()
    told = recorder()
    train(replace(CONFIG, out=tmp_path / "b", load=folder), data, told)
    assert told.epochs[0][1].loss < before.epochs[-1][1].loss


def test_optimizer_of_another_kind_is_refused_with_a_way_out(tmp_path, data, recorder, earlier):
    folder, _ = earlier
    config = replace(CONFIG, optimizer=OptimizerName.MOMENTUM, out=tmp_path / "b")
    with pytest.raises(CheckpointError, match="not of a run with `optimizer` momentum"):
        train(replace(config, load=folder), data, recorder())
    told = recorder()
    train(replace(config, load=folder / "model.pdparams"), data, told)
    assert len(told.steps) == 12


def test_network_for_other_images_is_refused(tmp_path, data, recorder, earlier):
    def enlarged(part: LabeledImages) -> LabeledImages:
        images = np.repeat(part.images, 2, axis=3)
        return LabeledImages(images=images, labels=part.labels, source=part.source)

    wide = DataSet(
        name="wide", **{k: enlarged(getattr(data, k)) for k in ("train", "valid", "test")}
    )
    with pytest.raises(CheckpointError, match=r"fc.weight is \(80, 10\) and not \(160, 10\)"):
        train(replace(CONFIG, out=tmp_path / "b", load=earlier[0]), wide, recorder())


def test_missing_run_is_named(tmp_path, data, recorder):
    for load in (tmp_path, tmp_path / "nowhere", tmp_path / "nowhere.pdparams"):
        with pytest.raises(CheckpointError, match=r"holds no saved run: expected .*\w\.pdparams"):
            train(replace(CONFIG, out=tmp_path / "b", load=load), data, recorder())


def test_damaged_file_is_named(tmp_path, data, recorder, earlier):
    path = earlier[0] / "model.pdopt"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"model\.pdopt"):
        train(replace(CONFIG, out=tmp_path / "b", load=earlier[0]), data, recorder())
