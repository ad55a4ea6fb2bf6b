"""Who asks for a name that is gone, and the word on stderr that it was given.

Libraries ask each other what they have, by `hasattr(np, "float_")` or by trying an import, and must
hear the truth. So every answer looks at the frame that asks: code in Python's own library, in
site-packages or in refluid is none of the program's, everything else is.
May import: table.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
from types import FrameType

from refluid.hook.era.table import Row

__all__ = ["asking_frame", "tell"]

_STANDARD = os.path.dirname(os.__file__) + os.sep
_REFLUID = os.path.dirname(os.path.dirname(os.path.dirname(__file__))) + os.sep
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_IMPORTLIB = os.path.dirname(importlib.__file__) + os.sep
_told: dict[str, object] = {}


def asking_frame(frame: FrameType | None) -> FrameType | None:
    """Return the frame of the user's program that asks, None if a library asks.

    Args:
        frame: the innermost frame that may have asked. Code without a file, such as the import
            system's, asks for whoever called it.
    """
    while frame is not None:
        path = frame.f_code.co_filename
        if path[:1] == "<":
            main = sys.modules.get("__main__")
            if main is not None and frame.f_globals is vars(main):
                return frame  # python -m refluid -c, or -
        elif not path.startswith(_IMPORTLIB):
            return None if _is_library(path) else frame
        frame = frame.f_back
    return None


def tell(row: Row, frame: FrameType) -> None:
    """Say on stderr that `row` was given, where the program used it, and what to write today.

    Effects: one line for each row in a process, at its first use.
    """
    if row.name in _told:
        return
    word = object()
    # not a lock, which a forked process might inherit locked
    if _told.setdefault(row.name, word) is not word or sys.stderr is None:
        return
    # the program may have closed it, and must not fail for a word to its reader
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(
            f"refluid: `{row.shown}` (used in {frame.f_code.co_filename}, line {frame.f_lineno}) "
            f"is gone since {row.since} and given back; today: `{row.write}`\n"
        )


@functools.cache
def _is_library(path: str) -> bool:
    return path.startswith((_STANDARD, _REFLUID)) or any(part in path for part in _PACKAGES)
