"""`refluid train`: its options, and the run that they describe.

What loads torch is imported when the command runs, so that `--help` does not wait for it.
May import: env, errors, data, train, cli.screen.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from refluid import env
from refluid.errors import DeviceError
from refluid.train.config import FIRST_RATES, Decay, OptimizerName, TrainConfig

__all__ = ["train"]

_EPOCHS_OF_DIGITS = 30
_EPOCHS_OF_A_FILE = 5
_RATES = ", ".join(f"{name.value} {rate:g}" for name, rate in FIRST_RATES.items())


class Device(str, Enum):
    """Where to train."""

    CPU = "cpu"
    CUDA = "cuda"


def _names(names: type[Enum]) -> str:
    *most, last = (name.value for name in names)
    return f"{', '.join(most)} or {last}"


def train(
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A folder with the four IDX files of MNIST, or the course's mnist.json.gz. "
            "Without it: the 1,797 digits that come with scikit-learn.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        Device | None,
        typer.Option(
            metavar="NAME",
            help="cpu or cuda; without it, the GPU where there is one.",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="How often all images are gone through, those before a stop included. "
            f"Without it: {_EPOCHS_OF_DIGITS}, or {_EPOCHS_OF_A_FILE} with --data.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(metavar="N", min=1, help="Images in a step.")] = 32,
    optimizer: Annotated[
        OptimizerName, typer.Option(metavar="NAME", help=f"{_names(OptimizerName)}.")
    ] = OptimizerName.ADAM,
    lr: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            help=f"The learning rate at the first step. Without it: {_RATES}.",
            show_default=False,
        ),
    ] = None,
    decay: Annotated[
        Decay,
        typer.Option(
            metavar="NAME",
            help=f"How the learning rate falls until the last step: {_names(Decay)}.",
        ),
    ] = Decay.POLYNOMIAL,
    l2: Annotated[
        float, typer.Option(metavar="X", min=0, help="Strength of the L2 regularization.")
    ] = 0.0,
    seed: Annotated[
        int, typer.Option(metavar="N", min=1, help="The same seed gives the same numbers.")
    ] = 1,
    out: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="The run's folder. A run that is there goes on."),
    ] = Path("runs/digits"),
    load: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Begin a new run from the parameters and the optimizer that another one left in "
            "this folder; or from the .pdparams and .pdopt files that Paddle 1.8 saved under this "
            "name.",
            show_default=False,
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Stop early when the validation accuracy was not better than its best N times in "
            "a row.",
            show_default=False,
        ),
    ] = None,
    test: Annotated[
        bool,
        typer.Option(
            help="Test the network in the end. Choices are made by the images to validate with; "
            "those to test with are for the one that was chosen.",
        ),
    ] = True,
    inspect: Annotated[
        bool,
        typer.Option(
            "--inspect", help="Before training, show each layer's settings, shapes and contents."
        ),
    ] = False,
) -> None:
    """Train the course's network to read handwritten digits.

    Two convolutions with pooling and a linear layer learn from the training images, are validated
    after each epoch, and tested at the end. Parameters and optimizer are saved after each epoch,
    in files that Paddle 1.8 reads, and the curves are drawn.

    It can be stopped at any time, by Ctrl-C or in any other way. The same command, started again,
    goes on from there, and comes to the same numbers, bit for bit.

    - `refluid train`

    - `refluid train --epochs 60`

    - `refluid train --data mnist.json.gz --out runs/mnist`

    - `refluid train --optimizer momentum --decay cosine --l2 0.0005 --out runs/momentum`

    - `refluid train --epochs 200 --patience 10 --out runs/long`

    - `refluid train --load runs/digits --lr 0.001 --out runs/finer`
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
            lr=lr,
            decay=decay,
            l2=l2,
            seed=seed,
            out=out,
            load=load,
            patience=patience,
            test=test,
            inspect=inspect,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    # these load torch
    import torch

    from refluid.cli.screen import Screen
    from refluid.data import load_digits, load_mnist
    from refluid.train.picture import draw_run
    from refluid.train.program import train as run

    if device is Device.CUDA and not torch.cuda.is_available():
        raise DeviceError(
            "`--device` is cuda, but this machine has no GPU that torch can use: leave it out, "
            "or choose cpu."
        )
    screen = Screen(config)
    with screen.reading(data) as progress:
        data_set = load_digits() if data is None else load_mnist(data, progress)
    with screen.training(data_set) as reporter:
        outcome = run(config, data_set, reporter)
    screen.conclude(outcome, draw_run(outcome, data_set.name))
