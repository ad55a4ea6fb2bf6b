"""Data sets, batches in an order that can be repeated, and reading ahead of the consumer.

Nothing here runs what a file holds, and no file makes it allocate more than the file's own header
or contents call for. Every error of a file is a `DataError` that names it. `Batches` and `Replay`
load torch, so they are imported when asked for: what only reads files does not wait for it.
May import: errors, data.batch, data.batches, data.dataset, data.digits, data.mnist, data.replay,
data.stream.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from refluid.data.batch import shuffled_order
from refluid.data.dataset import NUM_CLASSES, DataSet, LabeledImages
from refluid.data.digits import load_digits
from refluid.data.mnist import load_mnist
from refluid.data.stream import Progress

if TYPE_CHECKING:
    from refluid.data.batches import Batches
    from refluid.data.replay import Replay

__all__ = [
    "NUM_CLASSES",
    "Batches",
    "DataSet",
    "LabeledImages",
    "Progress",
    "Replay",
    "load_digits",
    "load_mnist",
    "shuffled_order",
]

_LATER = {"Batches": "refluid.data.batches", "Replay": "refluid.data.replay"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
