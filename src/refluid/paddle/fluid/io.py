"""Readers and loaders under one roof, as Paddle 1.8 gathers them here.

Paddle's functions that save and load a Program are not here: they belong to the static graph;
`fluid.save_dygraph` and `fluid.load_dygraph` are for the dynamic one. `load_program_state` needs no
program and reads their files too.
May import: checkpoint (refluid's), batch, reader, fluid.reader, fluid.dataloader, fluid.framework.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, TypeGuard

from refluid.checkpoint import read_state
from refluid.paddle.batch import batch
from refluid.paddle.fluid import dataloader as dataloader
from refluid.paddle.fluid import reader as reader
from refluid.paddle.fluid.dataloader import BatchSampler as BatchSampler
from refluid.paddle.fluid.dataloader import Dataset as Dataset
from refluid.paddle.fluid.framework import Parameter
from refluid.paddle.fluid.reader import DataLoader, PyReader, default_collate_fn
from refluid.paddle.reader import (
    ComposeNotAligned,
    buffered,
    cache,
    chain,
    compose,
    firstn,
    map_readers,
    multiprocess_reader,
    shuffle,
    xmap_readers,
)

__all__ = [
    "ComposeNotAligned",
    "DataLoader",
    "PyReader",
    "batch",
    "buffered",
    "cache",
    "chain",
    "compose",
    "default_collate_fn",
    "firstn",
    "is_parameter",
    "load_program_state",
    "map_readers",
    "multiprocess_reader",
    "shuffle",
    "xmap_readers",
]


def is_parameter(var: object) -> TypeGuard[Parameter]:
    """Return whether `var` is a parameter. Same as Paddle 1.8."""
    return isinstance(var, Parameter)


def load_program_state(
    model_path: str | os.PathLike[str], var_list: Sequence[Any] | None = None
) -> dict[str, Any]:
    """Load `PREFIX.pdparams`, and `PREFIX.pdopt` where there is one, as one dictionary.

    Differs from Paddle: files of `save_params` and the like, which the static graph writes, are
    not read; nothing in the files is run.

    Args:
        model_path: the prefix, or the name of either file.
        var_list: accepted for compatibility; it concerns files of the static graph.

    Returns:
        Arrays by name, and the table `StructuredToParameterName@@`.

    Raises:
        RuntimeError: there is no `.pdparams` file.
        CheckpointError: (a RuntimeError too) a file is damaged or holds anything but a state.
    """
    prefix, suffix = os.path.splitext(os.fspath(model_path))
    if suffix not in (".pdparams", ".pdopt", ".pdmodel"):
        prefix += suffix
    if not os.path.exists(prefix + ".pdparams"):
        raise RuntimeError(
            f"load_program_state: there is no file {prefix}.pdparams; `model_path` must be what "
            f"was given to save_dygraph or to Paddle's save, but received {model_path!r}. Files of "
            "save_params and save_persistables are not read."
        )
    state = read_state(prefix + ".pdparams")
    if os.path.exists(prefix + ".pdopt"):
        state.update(read_state(prefix + ".pdopt"))
    return state
