"""The ready-made program: train the network on digits, validate, save, test.

It is a fluid program like any other, and shows what one looks like in a `Run`: network and
optimizer are tracked, and what an epoch ends with is done within its last step. The same command,
started again, goes on wherever the last one was stopped.
Shapes: B batch, C channels, H height, W width.
May import: data, errors, loop, observe, paddle, train.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from refluid.data import DataSet, LabeledImages
from refluid.data.batch import batches
from refluid.data.batches import Batches
from refluid.data.dataset import NUM_CLASSES
from refluid.errors import DataError, RunError
from refluid.loop import Run
from refluid.observe.classification import Classification
from refluid.observe.journal.reader import JournalReader
from refluid.observe.layers.look import Look, inspect
from refluid.observe.record import Table
from refluid.paddle import fluid
from refluid.train import origin
from refluid.train.config import TrainConfig
from refluid.train.network import DigitNetwork
from refluid.train.optimizer import make_optimizer

__all__ = ["Outcome", "Reporter", "Score", "train"]

_EVALUATION_BATCH = 500
_MIN_SIDE = 4
# how much work a kill may cost; a save is a fraction of a megabyte
_SAVE_EVERY_S = 10.0


@dataclass(frozen=True)
class Score:
    """How well the network does on some images: mean loss, and share of right answers."""

    loss: float
    accuracy: float


class Reporter(Protocol):
    """Is told how a run goes, as it goes."""

    def begin(self, steps_per_epoch: int, num_parameters: int) -> None:
        """Training is about to begin, or to go on."""

    def inspect(self, look: Look) -> None:
        """The layers have been looked into, with a batch to validate on."""

    def step(self, number: int, score: Score) -> None:
        """A step has been made, after `number` others; the score is from before the update."""

    def epoch(self, number: int, train: Score, valid: Score, seconds: float) -> None:
        """Epoch `number`, from 1, has been made, validated and saved.

        `train` is the mean of its steps, so of a network that was still changing; `seconds` is what
        this process took for it.
        """


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run came to.

    Args:
        test: the score on the images to test with; None if that was not asked for.
        num_epochs: how often the training images were gone through.
        steps_per_epoch: how many steps that takes.
        directory: of the run, with its journal.
        parameters: the file with the network's parameters.
        optimizer: the file with the optimizer's state.
    """

    test: Score | None
    num_epochs: int
    steps_per_epoch: int
    directory: Path
    parameters: Path
    optimizer: Path


def train(config: TrainConfig, data: DataSet, reporter: Reporter) -> Outcome:
    """Train a network on `data`, on the place that fluid programs have by default.

    The run in `config.out` goes on where it was stopped. If it is complete, it is tested again.

    Args:
        config: everything that can be chosen.
        data: what to learn.
        reporter: is told how it goes.

    Returns:
        What was measured, and where it was saved.

    Raises:
        Stopped: the run was asked to stop, and has saved.
        RunError: the run in `config.out` was begun with other settings or is in use, or the folder
            cannot be written to.
        CheckpointError: `config.load` cannot be read or does not fit.
        DataError: the images are too small for the network.

    Effects:
        Keeps the run in `config.out`. Writes `model.pdparams` and `model.pdopt` there after every
        epoch.
    """
    if min(data.image_shape[1:]) < _MIN_SIDE:
        raise DataError(
            f"{data.train.source}: expected images of at least {_MIN_SIDE}x{_MIN_SIDE} pixels, "
            f"but they are {data.image_shape[1]}x{data.image_shape[2]}."
        )
    settings = _settings(config, data)
    run = Run(
        config.out,
        save_every_s=_SAVE_EVERY_S,
        keep_highest="valid_accuracy",
        patience=config.patience,
        config={**settings, "epochs": config.epochs},
    )
    with fluid.dygraph.guard():
        fluid.default_main_program().random_seed = config.seed
        learner = _Learner(config, data, run.directory / origin.MODEL)
        if config.load is not None:
            learner.load(config.load)
        with run:
            _check_settings(run.directory, settings)
            if config.inspect:
                reporter.inspect(learner.look())
            reporter.begin(learner.steps_per_epoch, learner.num_parameters)
            # if the run goes on, its own state takes the place of what was loaded
            learner.learn(run, reporter)
            test = learner.score(run, data.test, "test") if config.test else None
    return Outcome(
        test=test,
        num_epochs=run.step // learner.steps_per_epoch,
        steps_per_epoch=learner.steps_per_epoch,
        directory=run.directory,
        parameters=learner.prefix.with_suffix(".pdparams"),
        optimizer=learner.prefix.with_suffix(".pdopt"),
    )


class _Learner:
    """A network, its optimizer, and what they learn."""

    def __init__(self, config: TrainConfig, data: DataSet, prefix: Path) -> None:
        self.prefix = prefix
        self._config = config
        self._data = data
        self._batches = Batches(
            (data.train.images, data.train.labels[:, None]),
            config.batch_size,
            shuffle=True,
            seed=config.seed,
        )
        self.steps_per_epoch = len(self._batches)
        self._network = DigitNetwork(data.image_shape)
        self._optimizer = make_optimizer(config, self._network.parameters(), self.steps_per_epoch)

    @property
    def num_parameters(self) -> int:
        """Return how many numbers are learned."""
        return sum(int(np.prod(own.shape)) for own in self._network.state_dict().values())

    def load(self, path: Path) -> None:
        """Begin from what another run, or Paddle 1.8, saved."""
        origin.load(path, self._network, self._optimizer, self._config.optimizer)

    def look(self) -> Look:
        """Return a look into the layers, at some of the images to validate on."""
        images, _ = next(iter(batches(self._data.valid, _EVALUATION_BATCH)))
        self._network.eval()
        with inspect(self._network) as look, fluid.dygraph.no_grad():
            self._network(fluid.dygraph.to_variable(images))
        return look

    def learn(self, run: Run, reporter: Reporter) -> None:
        """Go through the training images until `config.epochs` is reached."""
        begin = time.perf_counter()
        run.track(network=self._network, optimizer=self._optimizer)
        run.watch(self._network, self._optimizer)
        self._network.train()
        for step in run.steps(self._batches, epochs=self._config.epochs):
            images, labels = step.batch
            score = self._update(images.numpy(), labels.numpy())
            run.log(loss=score.loss, accuracy=score.accuracy)
            if step.number == 0:
                run.record(class_counts=_class_counts(self._data.train))
            reporter.step(step.number, score)
            if step.last:
                valid = self.score(run, self._data.valid, "valid")
                self._save()
                now = time.perf_counter()
                mean = Score(run.means["loss"], run.means["accuracy"])
                reporter.epoch(step.epoch + 1, mean, valid, now - begin)
                begin = now

    def score(self, run: Run, part: LabeledImages, name: str) -> Score:
        """Return how well the network does on `part`, and have the run keep it under `name`."""
        judged = Classification(NUM_CLASSES, probabilities=True)

        def add(batch: tuple[NDArray[np.float32], NDArray[np.int64]]) -> dict[str, float]:
            images, labels = batch
            probabilities = self._network(fluid.dygraph.to_variable(images))
            return judged.add(probabilities, torch.from_numpy(labels), torch.from_numpy(images))

        found = run.validate(lambda: batches(part, _EVALUATION_BATCH), add, name=name)
        run.record(**judged.records())
        return Score(found["loss"], found["accuracy"])

    def _update(self, images_BCHW: NDArray[np.float32], labels_B1: NDArray[np.int64]) -> Score:
        labels = fluid.dygraph.to_variable(labels_B1)
        probabilities = self._network(fluid.dygraph.to_variable(images_BCHW))
        loss = fluid.layers.mean(fluid.layers.cross_entropy(probabilities, labels))
        accuracy = fluid.layers.accuracy(probabilities, labels)
        loss.backward()
        self._optimizer.minimize(loss)
        self._network.clear_gradients()
        return Score(float(loss.numpy()[0]), float(accuracy.numpy()[0]))

    def _save(self) -> None:
        fluid.save_dygraph(self._network.state_dict(), str(self.prefix))
        fluid.save_dygraph(self._optimizer.state_dict(), str(self.prefix))


def _class_counts(part: LabeledImages) -> Table:
    counts = np.bincount(part.labels, minlength=NUM_CLASSES).tolist()
    return Table(("class", "samples"), tuple((str(k), count) for k, count in enumerate(counts)))


def _settings(config: TrainConfig, data: DataSet) -> dict[str, Any]:
    """Return what a run keeps from its beginning to its end, as its numbers depend on it."""
    images, labels = data.train.images, data.train.labels
    digest = hashlib.blake2b(np.ascontiguousarray(images).data, digest_size=4)
    digest.update(np.ascontiguousarray(labels).data)
    height, width = data.image_shape[1:]
    return {
        "data": f"{len(labels)} images of {height}x{width} ({digest.hexdigest()})",
        "batch_size": config.batch_size,
        "optimizer": config.optimizer.value,
        "lr": config.first_rate,
        "decay": config.decay.value,
        "l2": config.l2,
        "seed": config.seed,
    }


def _check_settings(directory: Path, settings: dict[str, Any]) -> None:
    with JournalReader(directory / "run.sqlite") as journal:
        starts = journal.starts()
    begun = starts[0].config if starts else settings
    changed = [
        f"`{name}` {begun.get(name)} and not {value}"
        for name, value in settings.items()
        if begun.get(name) != value
    ]
    if changed:
        raise RunError(
            f"{directory} was begun with {', '.join(changed)}: give the same again to go on with "
            "it, or another `out` for a new run."
        )
