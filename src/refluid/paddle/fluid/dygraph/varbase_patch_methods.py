"""Methods of variables, which Paddle adds to its class afterwards. May import: nothing."""

from __future__ import annotations

__all__ = ["monkey_patch_varbase"]


def monkey_patch_varbase() -> None:
    """Do nothing: a Variable has its methods from the beginning.

    Paddle calls this for itself when it is imported; calling it again changes nothing there either.
    """
