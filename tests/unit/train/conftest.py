"""A data set that is learnt in a moment, and a reporter that keeps what it is told."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
import torch

from refluid.data import DataSet, LabeledImages, load_digits
from refluid.train.program import Score


class Recorder:
    """A reporter that keeps what it is told, and raises a signal within step `stop_in`."""

    def __init__(self, stop_in: int = -1, by: signal.Signals = signal.SIGTERM) -> None:
        self.steps: list[tuple[int, Score]] = []
        self.epochs: list[tuple[int, Score, Score]] = []
        self.begun: tuple[int, int] | None = None
        self._stop = (stop_in, by)

    def begin(self, steps_per_epoch: int, num_parameters: int) -> None:
        self.begun = (steps_per_epoch, num_parameters)

    def step(self, number: int, score: Score) -> None:
        self.steps.append((number, score))
        if number == self._stop[0]:
            signal.raise_signal(self._stop[1])

    def epoch(self, number: int, train: Score, valid: Score, seconds: float) -> None:
        self.epochs.append((number, train, valid))


def cut(part: LabeledImages, num_images: int) -> LabeledImages:
    return LabeledImages(
        images=part.images[:num_images], labels=part.labels[:num_images], source=part.source
    )


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Beside other work on the machine, threads of so small a network only wait."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data() -> DataSet:
    digits = load_digits()
    parts = (cut(digits.train, 100), cut(digits.valid, 40), cut(digits.test, 40))
    return DataSet(name="a few digits", train=parts[0], valid=parts[1], test=parts[2])


@pytest.fixture
def recorder() -> type[Recorder]:
    return Recorder
