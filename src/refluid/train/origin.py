"""What a new run begins from: parameters and moments that another run, or Paddle 1.8, saved.

The learning rate and the count of the steps are the new run's own.
May import: errors, paddle, train.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refluid.errors import CheckpointError
from refluid.paddle import fluid
from refluid.paddle.fluid.core_avx import VarBase
from refluid.train.config import OptimizerName
from refluid.train.network import DigitNetwork
from refluid.train.optimizer import accumulator_names

__all__ = ["MODEL", "load"]

MODEL = "model"
"""The name of the files that every run saves, before their endings."""

_PARAMETERS = ".pdparams"
_OPTIMIZER = ".pdopt"


def load(path: Path, network: DigitNetwork, optimizer: Any, name: OptimizerName) -> None:
    """Put what was saved into a network and its optimizer.

    Args:
        path: the folder of a run; or the common name of `.pdparams` and `.pdopt`, of which the
            latter may be missing; or a `.pdparams` file, for the parameters alone.
        network: gets the parameters.
        optimizer: of the network's parameters; gets what belongs to each of them.
        name: which optimizer it is.

    Raises:
        CheckpointError: the files are missing or damaged, or of another network or optimizer.
    """
    prefix = str(path / MODEL if path.is_dir() else path)
    try:
        parameters, state = fluid.load_dygraph(prefix)
    except CheckpointError:
        raise
    except RuntimeError:
        expected = prefix.removesuffix(_PARAMETERS) + _PARAMETERS
        raise CheckpointError(f"{path} holds no saved run: expected {expected}.") from None
    _check_parameters(path, parameters, network.state_dict())
    network.set_dict(parameters)
    if state is None or prefix.endswith(_PARAMETERS):
        return
    names = accumulator_names(name, network.parameters())
    missing = [entry for entry in names if entry not in state]
    if missing:
        raise CheckpointError(
            f"{prefix}{_OPTIMIZER} is not of a run with `optimizer` {name.value}: it has no "
            f"{missing[0]}. Choose the optimizer of that run, or `load` {prefix}{_PARAMETERS} to "
            "begin from the parameters alone."
        )
    begun = {entry: state[entry] for entry in names} | optimizer.state_dict()
    # not by `set_dict`, with which it takes them at its first step: a run that is killed before
    # shall have them
    optimizer.load_state_dict(begun)


def _check_parameters(
    path: Path, found: Mapping[str, Any], expected: Mapping[str, VarBase]
) -> None:
    wrong = [
        f"{name} is {found[name].shape if name in found else 'missing'} and not {tuple(own.shape)}"
        for name, own in expected.items()
        if name not in found or tuple(found[name].shape) != tuple(own.shape)
    ]
    if wrong:
        raise CheckpointError(
            f"{path} holds another network, or one for images of another size: {', '.join(wrong)}."
        )
