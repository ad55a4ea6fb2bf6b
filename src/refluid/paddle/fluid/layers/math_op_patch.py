"""Signs between variables, which Paddle adds to its class afterwards. May import: nothing."""

from __future__ import annotations

__all__ = ["monkey_patch_variable"]


def monkey_patch_variable() -> None:
    """Do nothing: a Variable has its signs from the beginning.

    Paddle calls this for itself when it is imported; calling it again changes nothing there either.
    """
