"""`Dataset`, the base of data sets that are read by index.

May import: nothing.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Dataset"]


class Dataset:
    """Samples by index. Subclasses define `__getitem__` and `__len__`.

    Same as Paddle 1.8.
    """

    def __init__(self) -> None:
        pass

    def __getitem__(self, idx: int) -> Any:
        """Return sample number `idx`: an array, or a tuple with one item per slot."""
        raise NotImplementedError(f"`__getitem__` is not defined in class {type(self).__name__}.")

    def __len__(self) -> int:
        """Return the number of samples."""
        raise NotImplementedError(f"`__len__` is not defined in class {type(self).__name__}.")
