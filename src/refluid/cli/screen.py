"""What `refluid train` shows: a bar while it runs, a line for each epoch, and what to do next.

On a terminal the bar moves below the lines; where the output goes to a file there are only lines.
May import: rich, data, observe, paddle, train.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from refluid.data import DataSet
from refluid.data import Progress as ReadingProgress
from refluid.observe.layers.look import Look
from refluid.paddle.fluid.core_avx.place import default_place
from refluid.train.config import Decay, OptimizerName, TrainConfig
from refluid.train.program import Outcome, Score

__all__ = ["Screen"]


class Screen:
    """The terminal, or the file, that a run is shown on; a `Reporter`.

    Args:
        config: the run that is shown.
    """

    def __init__(self, config: TrainConfig) -> None:
        self._config = config
        # what is shown holds paths of the user's, which must not be wrapped or taken for markup
        self._console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._bar = self._new_bar()
        self._num_steps = 0
        self._path: Path | None = None

    def _new_bar(self) -> Progress:
        return Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[status]}", markup=False),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    @contextmanager
    def reading(self, path: Path | None) -> Iterator[ReadingProgress]:
        """Show how far the file `path` has been read."""
        self._path = path
        with self._new_bar() as bar:
            task = bar.add_task(f"reading {path}", total=1.0, visible=path is not None, status="")
            yield lambda fraction: bar.update(task, completed=fraction)

    @contextmanager
    def training(self, data: DataSet) -> Iterator[Screen]:
        """Show a run on `data`; what is reported in between moves the bar."""
        height, width = data.image_shape[1:]
        self._line(
            "data",
            f"{data.name}: {len(data.train)} images of {height}x{width} to train, "
            f"{len(data.valid)} to validate, {len(data.test)} to test",
        )
        with self._bar:
            yield self

    def begin(self, steps_per_epoch: int, num_parameters: int) -> None:
        """Show what is going to be trained, and how."""
        config = self._config
        self._num_steps = config.epochs * steps_per_epoch
        self._line(
            "network",
            f"2 x (convolution, pooling), linear, softmax: {num_parameters:,} parameters, "
            f"on {default_place().device}",
        )
        decay = "" if config.decay is Decay.NONE else f", {config.decay.value} decay"
        l2 = f", L2 {config.l2:g}" if config.l2 else ""
        self._line(
            "training",
            f"{config.optimizer.value}, learning rate {config.first_rate:g}{decay}{l2}; "
            f"{config.epochs} epochs of {steps_per_epoch} steps of {config.batch_size} images",
        )

    def inspect(self, look: Look) -> None:
        """Show what the layers are and give."""
        self._console.print(f"\n{look}")

    def step(self, number: int, score: Score) -> None:
        """Move the bar; above it goes the table's head, when the run has said where it begins."""
        if not self._bar.tasks:
            if self._config.load is not None and number == 0:
                self._line("from", str(self._config.load))
            self._console.print(f"\n{'training':>28}{'validation':>22}")
            self._console.print(
                f"{'epoch':>9}{'loss':>10}{'accuracy':>10}{'loss':>12}{'accuracy':>10}{'time':>10}"
            )
            self._bar.add_task("training", completed=number, total=self._num_steps, status="")
        loss, accuracy = _texts(score)
        self._bar.update(
            self._bar.task_ids[0],
            completed=number + 1,
            status=f"loss {loss}  accuracy {accuracy}",
        )

    def epoch(self, number: int, train: Score, valid: Score, seconds: float) -> None:
        """Print the line of an epoch."""
        epoch = f"{number}/{self._config.epochs}"
        train_loss, train_accuracy = _texts(train)
        valid_loss, valid_accuracy = _texts(valid)
        self._console.print(
            f"{epoch:>9}{train_loss:>10}{train_accuracy:>10}{valid_loss:>12}{valid_accuracy:>10}"
            f"{seconds:>8.1f} s"
        )

    def conclude(self, outcome: Outcome, curves: Path | None) -> None:
        """Show what the run came to, where it is, and what could be tried next."""
        if not self._bar.tasks:
            self._console.print("\nThe run is complete: nothing was left to train.")
        after = f"after {outcome.num_epochs} epochs"
        if outcome.test is None:
            self._console.print(f"\nTrained and validated, but not tested, {after}.")
        else:
            loss, accuracy = _texts(outcome.test, digits=2)
            self._console.print(f"\nTest accuracy {accuracy}, loss {loss}, {after}.")
        self._line("parameters", str(outcome.parameters))
        self._line("optimizer", str(outcome.optimizer))
        without = "not drawn: pip install 'refluid[plot]' for matplotlib"
        self._line("curves", str(curves or without))
        self._console.print("\nNext:")
        for what, how in self._next(outcome):
            self._console.print(f"  {what:<19}{how}")

    def _next(self, outcome: Outcome) -> Iterator[tuple[str, str]]:
        config = self._config
        directory = str(outcome.directory)
        yield "look at it", _command("report", directory)
        yield "what goes wrong", _command("diagnose", directory)
        yield "train on", _again("--epochs", str(2 * outcome.num_epochs))
        if not self._bar.tasks:
            yield "begin anew", _again("--out", f"{config.out}-2")
        if config.load is None:
            other = "adam" if config.optimizer is OptimizerName.MOMENTUM else "momentum"
            yield "another optimizer", _again("--optimizer", other, "--out", f"runs/{other}")
        if self._path is None:
            yield "larger digits", _again("--data", "MNIST_FOLDER", "--out", "runs/mnist")
        yield "your own program", f"{_python()} -m refluid your_paddle_fluid_program.py"

    def _line(self, name: str, text: str) -> None:
        self._console.print(f"{name:<11}{text}")


def _texts(score: Score, digits: int = 1) -> tuple[str, str]:
    return f"{score.loss:.4f}", f"{100 * score.accuracy:.{digits}f}%"


def _again(*options: str) -> str:
    """Return the command that is running, with `options` behind: the last of two alike counts."""
    given = sys.argv[1:]
    # an option that is given again would only lengthen the line
    for option in options[::2]:
        while option in given:
            index = given.index(option)
            del given[index : index + 2]
    return _command(*given, *options)


def _command(*words: str) -> str:
    name = sys.argv[0]
    return shlex.join(["refluid" if shutil.which("refluid") == name else name, *words])


def _python() -> str:
    """Return how the interpreter is called from here."""
    if shutil.which("python") == sys.executable:
        return "python"
    path = Path(sys.executable)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
