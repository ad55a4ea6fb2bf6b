"""Data sets that Paddle 1.8 knows how to fetch, as readers.

Each is read from Paddle's cache folder, and downloaded into it where there is a network.
May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.dataset import (
    cifar,
    conll05,
    flowers,
    image,
    imdb,
    imikolov,
    mnist,
    movielens,
    mq2007,
    sentiment,
    uci_housing,
    voc2012,
    wmt14,
    wmt16,
)
from refluid.paddle.dataset import common as common

__all__ = [
    "cifar",
    "conll05",
    "flowers",
    "image",
    "imdb",
    "imikolov",
    "mnist",
    "movielens",
    "mq2007",
    "sentiment",
    "uci_housing",
    "voc2012",
    "wmt14",
    "wmt16",
]
