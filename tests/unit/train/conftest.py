"""A data set that is learnt in a moment, and a reporter that keeps what it is told."""

from __future__ import annotations

import pytest

from refluid.data import DataSet, LabeledImages, load_digits
from refluid.train.history import Epoch, Step


class Recorder:
    """A reporter that keeps what it is told, and stops a run after `stop_after` epochs."""

    def __init__(self, stop_after: int = 0) -> None:
        self.steps: list[Step] = []
        self.epochs: list[Epoch] = []
        self.begun: tuple[int, int, int] | None = None
        self._stop_after = stop_after

    def begin(self, first_epoch: int, steps_per_epoch: int, num_parameters: int) -> None:
        self.begun = (first_epoch, steps_per_epoch, num_parameters)

    def step(self, step: Step) -> None:
        self.steps.append(step)

    def epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)
        if epoch.number == self._stop_after:
            raise KeyboardInterrupt

    def losses(self) -> list[str]:
        """The loss of every step, as bits."""
        return [step.score.loss.hex() for step in self.steps]


def cut(part: LabeledImages, num_images: int) -> LabeledImages:
    return LabeledImages(
        images=part.images[:num_images], labels=part.labels[:num_images], source=part.source
    )


@pytest.fixture(scope="session")
def data() -> DataSet:
    digits = load_digits()
    parts = (cut(digits.train, 100), cut(digits.valid, 40), cut(digits.test, 40))
    return DataSet(name="a few digits", train=parts[0], valid=parts[1], test=parts[2])


@pytest.fixture
def recorder() -> type[Recorder]:
    return Recorder
