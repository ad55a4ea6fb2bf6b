"""The ready-made program: train the network on digits, validate, save, test, draw.

It is a fluid program like any other, and shows what one looks like. After every epoch parameters
and optimizer are saved; the step count among them, the seed, and an order of the images that is a
function of seed and epoch are all it takes to go on exactly where a stopped run was.
Shapes: B batch, C channels, H height, W width.
May import: torch, data, errors, observe, paddle, train.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from refluid.data import DataSet, LabeledImages, batches, shuffled_order
from refluid.errors import CheckpointError, DataError
from refluid.observe.curve import can_draw
from refluid.paddle import fluid
from refluid.paddle.fluid.core_avx import VarBase
from refluid.train.config import TrainConfig
from refluid.train.history import Epoch, History, Score, Step
from refluid.train.network import DigitNetwork
from refluid.train.optimizer import make_optimizer, missing_state

__all__ = ["Outcome", "Reporter", "checkpoint_prefix", "train"]

_EVALUATION_BATCH = 500
_MIN_SIDE = 4


class Reporter(Protocol):
    """Is told how a run goes, as it goes."""

    def begin(self, first_epoch: int, steps_per_epoch: int, num_parameters: int) -> None:
        """Training begins with epoch `first_epoch`, counted from 0."""

    def step(self, step: Step) -> None:
        """A step has been made."""

    def epoch(self, epoch: Epoch) -> None:
        """An epoch has been made, validated and saved."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run came to.

    Args:
        history: every step and epoch of it.
        test: the score on the images to test with.
        seconds: what training and validation took.
        parameters: the file with the network's parameters.
        optimizer: the file with the optimizer's state.
        curves: the picture, or None where matplotlib is not installed.
    """

    history: History
    test: Score
    seconds: float
    parameters: Path
    optimizer: Path
    curves: Path | None


def train(config: TrainConfig, data: DataSet, reporter: Reporter) -> Outcome:
    """Train a network on `data`, on the place that fluid programs have by default.

    Args:
        config: everything that can be chosen.
        data: what to learn.
        reporter: is told how it goes.

    Returns:
        What was measured, and where it was saved.

    Raises:
        CheckpointError: `config.load` cannot be read, does not fit, or leaves nothing to do; or
            `config.out` cannot be written.
        DataError: the images are too small for the network.
        RefluidError: the picture cannot be written.

    Effects:
        Writes `model.pdparams` and `model.pdopt` to `config.out` after every epoch, and
        `curves.png` at the end.
    """
    if min(data.image_shape[1:]) < _MIN_SIDE:
        raise DataError(
            f"{data.train.source}: expected images of at least {_MIN_SIDE}x{_MIN_SIDE} pixels, "
            f"but they are {data.image_shape[1]}x{data.image_shape[2]}."
        )
    try:
        config.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(f"{config.out} cannot be made a folder: {error.strerror}.") from None
    with fluid.dygraph.guard():
        fluid.default_main_program().random_seed = config.seed
        run = _Run(config, data)
        begin = time.perf_counter()
        run.learn(reporter)
        seconds = time.perf_counter() - begin
        test = run.score(data.test)
    curves = config.out / "curves.png" if can_draw() else None
    if curves:
        title = f"{data.name}: test accuracy {100 * test.accuracy:.2f}%"
        run.history.draw(curves, title)
    return Outcome(
        history=run.history,
        test=test,
        seconds=seconds,
        parameters=run.prefix.with_suffix(".pdparams"),
        optimizer=run.prefix.with_suffix(".pdopt"),
        curves=curves,
    )


def checkpoint_prefix(path: Path) -> Path:
    """Return the common name of the files that a run saved in the folder `path`."""
    return path / "model"


class _Run:
    """A network, its optimizer, and how far they have come."""

    def __init__(self, config: TrainConfig, data: DataSet) -> None:
        self._config = config
        self._data = data
        self.prefix = checkpoint_prefix(config.out)
        self.history = History(steps_per_epoch=-(-len(data.train) // config.batch_size))
        self._network = DigitNetwork(data.image_shape)
        self._optimizer = make_optimizer(
            config, self._network.parameters(), self.history.steps_per_epoch
        )
        self._first_epoch = 0
        if config.load is not None:
            self._load(config.load)

    def _load(self, path: Path) -> None:
        prefix = checkpoint_prefix(path) if path.is_dir() else path
        try:
            parameters, state = fluid.load_dygraph(str(prefix))
        except CheckpointError:
            raise
        except RuntimeError:
            raise CheckpointError(
                f"{path} holds no saved run: expected {prefix.with_suffix('.pdparams')}."
            ) from None
        _check_parameters(prefix, parameters, self._network.state_dict())
        self._network.set_dict(parameters)
        if state is None:
            return
        missing = missing_state(self._config.optimizer, self._network.parameters(), state)
        if missing:
            raise CheckpointError(
                f"{prefix}.pdopt is not of a run with `optimizer` {self._config.optimizer.value}: "
                f"it has no {missing[0]}. Choose the optimizer of that run, or remove the file to "
                "go on from the parameters alone."
            )
        self._optimizer.set_dict(state)
        self._first_epoch = int(state["LR_Scheduler"]["step_num"]) // self.history.steps_per_epoch
        if self._first_epoch >= self._config.epochs:
            raise CheckpointError(
                f"{path} has {self._first_epoch} epochs behind it, and `epochs` is "
                f"{self._config.epochs}: ask for more than {self._first_epoch}."
            )

    def learn(self, reporter: Reporter) -> None:
        """Go through the training images until `config.epochs` is reached."""
        parameters = self._network.state_dict().values()
        reporter.begin(
            self._first_epoch,
            self.history.steps_per_epoch,
            sum(int(np.prod(parameter.shape)) for parameter in parameters),
        )
        for epoch in range(self._first_epoch, self._config.epochs):
            begin = time.perf_counter()
            train = self._learn_epoch(epoch, reporter)
            valid = self.score(self._data.valid)
            self._save()
            seconds = time.perf_counter() - begin
            self.history.epochs.append(
                Epoch(number=epoch + 1, train=train, valid=valid, seconds=seconds)
            )
            reporter.epoch(self.history.epochs[-1])

    def _learn_epoch(self, epoch: int, reporter: Reporter) -> Score:
        self._network.train()
        part = self._data.train
        order = shuffled_order(len(part), self._config.seed, epoch)
        number = epoch * self.history.steps_per_epoch
        mean = _Mean()
        for images, labels in batches(part, self._config.batch_size, order):
            loss, score = self._forward(images, labels)
            loss.backward()
            self._optimizer.minimize(loss)
            self._network.clear_gradients()
            mean.add(score, len(labels))
            self.history.steps.append(Step(number=number, score=score))
            reporter.step(self.history.steps[-1])
            number += 1
        return mean.score()

    def score(self, part: LabeledImages) -> Score:
        """Return how well the network does on `part`."""
        self._network.eval()
        mean = _Mean()
        for images, labels in batches(part, _EVALUATION_BATCH):
            mean.add(self._forward(images, labels)[1], len(labels))
        return mean.score()

    def _forward(
        self, images_BCHW: NDArray[np.float32], labels_B1: NDArray[np.int64]
    ) -> tuple[VarBase, Score]:
        labels = fluid.dygraph.to_variable(labels_B1)
        probabilities = self._network(fluid.dygraph.to_variable(images_BCHW))
        loss = fluid.layers.mean(fluid.layers.cross_entropy(probabilities, labels))
        accuracy = fluid.layers.accuracy(probabilities, labels)
        return loss, Score(float(loss.numpy()[0]), float(accuracy.numpy()[0]))

    def _save(self) -> None:
        fluid.save_dygraph(self._network.state_dict(), str(self.prefix))
        fluid.save_dygraph(self._optimizer.state_dict(), str(self.prefix))


class _Mean:
    """The mean score of batches, each weighing as many images as it has."""

    def __init__(self) -> None:
        self._loss = self._accuracy = 0.0
        self._count = 0

    def add(self, score: Score, count: int) -> None:
        """Add the score of a batch of `count` images."""
        self._loss += score.loss * count
        self._accuracy += score.accuracy * count
        self._count += count

    def score(self) -> Score:
        """Return the mean."""
        return Score(self._loss / self._count, self._accuracy / self._count)


def _check_parameters(
    prefix: Path, found: Mapping[str, Any], expected: Mapping[str, VarBase]
) -> None:
    wrong = [
        f"{name} is {found[name].shape if name in found else 'missing'} and not {tuple(own.shape)}"
        for name, own in expected.items()
        if name not in found or tuple(found[name].shape) != tuple(own.shape)
    ]
    if wrong:
        raise CheckpointError(
            f"{prefix}.pdparams holds another network, or one for images of another size: "
            f"{', '.join(wrong)}."
        )
