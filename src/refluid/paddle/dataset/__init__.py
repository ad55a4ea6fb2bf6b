"""Data sets that Paddle 1.8 knows how to fetch; of them MNIST.

May import: dataset.common, dataset.mnist.
"""

from __future__ import annotations

from refluid.paddle.dataset import common as common
from refluid.paddle.dataset import mnist

__all__ = ["mnist"]
