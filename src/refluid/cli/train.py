"""`refluid train`: its options, and the run that they describe.

May import: env, train.config; the rest of train, data and the screen when it runs, because loading
torch takes seconds that `--help` should not.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from refluid import env
from refluid.train.config import FIRST_RATES, Decay, OptimizerName, TrainConfig

__all__ = ["train"]

_EPOCHS_OF_DIGITS = 30
_EPOCHS_OF_A_FILE = 5
_INTERRUPTED = 130
_RATES = ", ".join(f"{name.value} {rate:g}" for name, rate in FIRST_RATES.items())


class Device(str, Enum):
    """Where to train."""

    CPU = "cpu"
    CUDA = "cuda"


def train(
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A folder with the four IDX files of MNIST, or the course's mnist.json.gz. "
            "Without it, the 1,797 digits that come with scikit-learn.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        Device | None,
        typer.Option(
            help="Where to train: by default on the GPU if there is one.", show_default=False
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How often all images are gone through, those before --load included: by default "
            f"{_EPOCHS_OF_DIGITS}, with --data {_EPOCHS_OF_A_FILE}.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images in a step.")] = 32,
    optimizer: Annotated[
        OptimizerName, typer.Option(help="How the parameters are updated.")
    ] = OptimizerName.ADAM,
    lr: Annotated[
        float | None,
        typer.Option(
            help=f"The learning rate at the first step: by default {_RATES}.", show_default=False
        ),
    ] = None,
    decay: Annotated[
        Decay, typer.Option(help="How the learning rate falls until the last step.")
    ] = Decay.POLYNOMIAL,
    l2: Annotated[float, typer.Option(min=0, help="Strength of the L2 regularization.")] = 0.0,
    seed: Annotated[int, typer.Option(min=1, help="The same seed gives the same numbers.")] = 1,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where parameters, optimizer and curves go.")
    ] = Path("runs/digits"),
    load: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Go on from what an earlier run, also one that was stopped, left in its --out. "
            "With the same options the numbers are those of a run that was never stopped.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train the course's network to read handwritten digits.

    Two convolutions with pooling and a linear layer learn from the training images, are validated
    after each epoch, and tested at the end. Parameters and optimizer are saved in Paddle's own
    files after each epoch, and the curves are drawn.

    refluid train

    refluid train --data mnist.json.gz --out runs/mnist

    refluid train --optimizer momentum --lr 0.05 --decay none --out runs/momentum

    refluid train --load runs/digits --epochs 60
    """
    if device is not None:
        env.force_device(device.value)
    if epochs is None:
        epochs = _EPOCHS_OF_DIGITS if data is None else _EPOCHS_OF_A_FILE
    try:
        config = TrainConfig(
            epochs=epochs,
            batch_size=batch_size,
            optimizer=optimizer,
            learning_rate=lr,
            decay=decay,
            l2=l2,
            seed=seed,
            out=out,
            load=load,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    # these load torch
    from refluid.cli.screen import Screen
    from refluid.data import load_digits, load_mnist
    from refluid.train.program import train as run

    screen = Screen(config)
    with screen.reading(data) as progress:
        data_set = load_digits() if data is None else load_mnist(data, progress)
    try:
        with screen.training(data_set) as reporter:
            outcome = run(config, data_set, reporter)
    except KeyboardInterrupt:
        screen.interrupted()
        raise typer.Exit(_INTERRUPTED) from None
    screen.conclude(outcome)
