"""Data sets, batches in an order that can be repeated, and reading ahead of the consumer.

Nothing here runs what a file holds, and no file makes it allocate more than the file's own header
or contents call for. Every error of a file is a `DataError` that names it.
May import: errors, data.batch, data.dataset, data.digits, data.mnist, data.stream.
"""

from __future__ import annotations

from refluid.data.batch import batches, shuffled_order
from refluid.data.dataset import NUM_CLASSES, DataSet, LabeledImages
from refluid.data.digits import load_digits
from refluid.data.mnist import load_mnist
from refluid.data.stream import Progress

__all__ = [
    "NUM_CLASSES",
    "DataSet",
    "LabeledImages",
    "Progress",
    "batches",
    "load_digits",
    "load_mnist",
    "shuffled_order",
]
