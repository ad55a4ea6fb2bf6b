"""Paddle 1.8's API on PyTorch; a program sees it as `paddle`. Every path equals Paddle's own.

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle import compat, complex, dataset, fluid, reader
from refluid.paddle.batch import batch
from refluid.paddle.check_import_scipy import check_import_scipy
from refluid.paddle.version import commit as __git_commit__
from refluid.paddle.version import full_version as __version__

__all__ = [
    "__git_commit__",
    "__version__",
    "batch",
    "check_import_scipy",
    "compat",
    "complex",
    "dataset",
    "fluid",
    "reader",
]
