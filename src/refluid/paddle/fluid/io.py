"""Readers and loaders under one roof, as Paddle 1.8 gathers them here.

Paddle's functions that save and load a Program are not here: they belong to the static graph;
`fluid.save_dygraph` and `fluid.load_dygraph` are for the dynamic one.
May import: batch, reader, fluid.reader, fluid.dataloader.
"""

from __future__ import annotations

from refluid.paddle.batch import batch
from refluid.paddle.fluid import dataloader as dataloader
from refluid.paddle.fluid import reader as reader
from refluid.paddle.fluid.dataloader import BatchSampler as BatchSampler
from refluid.paddle.fluid.dataloader import Dataset as Dataset
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
    "map_readers",
    "multiprocess_reader",
    "shuffle",
    "xmap_readers",
]
