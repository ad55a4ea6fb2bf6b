"""Saving and loading the state of layers and optimizers in Paddle 1.8's files.

`PREFIX.pdparams` holds parameters and `PREFIX.pdopt` the optimizer's state; which of the two a
dictionary becomes depends on its first value, as in Paddle. The files themselves are
`refluid.checkpoint`'s: written atomically, read without running anything in them.
May import: checkpoint (refluid's), core_avx, framework.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from refluid.checkpoint import read_state, write_state
from refluid.paddle.fluid.core_avx import VarBase
from refluid.paddle.fluid.framework import ParamBase, dygraph_only

__all__ = ["load_dygraph", "save_dygraph"]

_PARAMETERS = ".pdparams"
_OPTIMIZER = ".pdopt"
_NAME_TABLE = "StructuredToParameterName@@"


@dygraph_only
def save_dygraph(state_dict: Mapping[str, Any], model_path: str) -> None:
    """Save the state of a layer or an optimizer to a file that Paddle 1.8 reads.

    The file is `model_path` + `.pdparams` if the first value is a parameter, else `.pdopt`.
    Differs from Paddle: a kill at any instant leaves the old file or the new one; the file carries
    a checksum, which Paddle passes over; what Paddle 1.8 could not read again is refused.

    Args:
        state_dict: `layer.state_dict()` or `optimizer.state_dict()`; variables, arrays, numbers
            and dictionaries of them, by name.
        model_path: folder and the files' common name. Folders on the way are made.

    Raises:
        AssertionError: `state_dict` is empty, `model_path` ends with a slash, or no guard is open.
        TypeError: a value is of a type that checkpoints do not hold.
        CheckpointError: the file cannot be written.
    """
    path = os.fspath(model_path)
    if not os.path.basename(path):
        raise AssertionError(
            f"save_dygraph: `model_path` must end in a file name, as in 'folder/name', but "
            f"received {path!r}."
        )
    if not state_dict:
        raise AssertionError(
            "save_dygraph: `state_dict` is empty, so there is nothing to save; the state of an "
            "optimizer such as SGD with a constant learning rate is."
        )
    first = next(iter(state_dict.values()))
    suffix = _PARAMETERS if isinstance(first, ParamBase) else _OPTIMIZER
    state = {k: v.numpy() if isinstance(v, VarBase) else v for k, v in state_dict.items()}
    state[_NAME_TABLE] = {k: v.name for k, v in state_dict.items() if isinstance(v, VarBase)}
    write_state(path + suffix, state)


@dygraph_only
def load_dygraph(
    model_path: str, keep_name_table: bool = False
) -> tuple[dict[str, np.ndarray], dict[str, Any] | None]:
    """Load what `save_dygraph` of refluid or of Paddle 1.8 saved.

    Differs from Paddle: nothing in the files is run, so they may come from anywhere.

    Args:
        model_path: what was given to `save_dygraph`, or the name of either file.
        keep_name_table: keep the entry `StructuredToParameterName@@` (structured name to
            parameter name) of the first dictionary.

    Returns:
        The parameters' arrays by structured name, and the optimizer's state, or None where there
        is no `.pdopt` file.

    Raises:
        RuntimeError: there is no `.pdparams` file.
        CheckpointError: (a RuntimeError too) a file is damaged or holds anything but a state.
        AssertionError: no guard is open.
    """
    prefix = os.fspath(model_path)
    for suffix in (_PARAMETERS, _OPTIMIZER):
        if prefix.endswith(suffix):
            prefix = prefix.removesuffix(suffix)
            break
    if not os.path.exists(prefix + _PARAMETERS):
        raise RuntimeError(
            f"load_dygraph: there is no file {prefix + _PARAMETERS}; `model_path` must be what was "
            f"given to save_dygraph, but received {os.fspath(model_path)!r}."
        )
    parameters = read_state(prefix + _PARAMETERS)
    if not keep_name_table:
        parameters.pop(_NAME_TABLE, None)
    if not os.path.exists(prefix + _OPTIMIZER):
        return parameters, None
    return parameters, read_state(prefix + _OPTIMIZER)
