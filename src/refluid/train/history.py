"""What a run has measured: every step, every epoch, and the test at its end.

May import: observe.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean as mean

from refluid.observe.curve import Curve, Panel, draw_panels

__all__ = ["Epoch", "History", "Score", "Step"]

_MAX_POINTS = 150


@dataclass(frozen=True)
class Score:
    """How well the network does on some images: mean loss, and share of right answers."""

    loss: float
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class Step:
    """One update: how many were made before it, and the score of its batch before the update."""

    number: int
    score: Score


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass over the training images.

    Args:
        number: from 1.
        train: the mean of the epoch's steps, so of a network that was still changing.
        valid: after the epoch, on the images to validate with.
        seconds: what the pass and the validation took.
    """

    number: int
    train: Score
    valid: Score
    seconds: float


@dataclass(kw_only=True)
class History:
    """All that was measured, in the order in which it was.

    Args:
        steps_per_epoch: places the steps on an axis of epochs.
        steps: this run's steps.
        epochs: this run's epochs.
    """

    steps_per_epoch: int
    steps: list[Step] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)

    def draw(self, path: Path, title: str) -> None:
        """Draw loss and accuracy over the epochs; see `observe.curve.draw_panels`."""
        bins = self._bins()
        # the mean of an epoch belongs to its middle
        middles = [epoch.number - 0.5 for epoch in self.epochs]
        ends = [float(epoch.number) for epoch in self.epochs]

        def curves(quantity: str) -> list[Curve]:
            return [
                Curve(
                    label="training",
                    x=middles,
                    y=[getattr(epoch.train, quantity) for epoch in self.epochs],
                    x_noise=[
                        mean(step.number + 0.5 for step in steps) / self.steps_per_epoch
                        for steps in bins
                    ],
                    y_noise=[
                        mean(getattr(step.score, quantity) for step in steps) for steps in bins
                    ],
                ),
                Curve(
                    label="validation",
                    x=ends,
                    y=[getattr(epoch.valid, quantity) for epoch in self.epochs],
                ),
            ]

        panels = [
            Panel(title="loss (cross-entropy)", curves=curves("loss"), logarithmic=True),
            Panel(title="accuracy", curves=curves("accuracy"), percent=True),
        ]
        draw_panels(path, title, panels)

    def _bins(self) -> list[list[Step]]:
        """Return the steps in groups: single steps differ too much to be looked at."""
        size = -(-len(self.steps) // _MAX_POINTS)
        return [self.steps[k : k + size] for k in range(0, len(self.steps), max(size, 1))]
