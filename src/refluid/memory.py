"""How a process keeps its memory. May import: nothing of refluid."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator

__all__ = ["keep_freed_memory", "uncollected"]

# the numbers of glibc's malloc.h
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGEST_MMAP_THRESHOLD = 32 << 20
_NEVER_TRIM = 1 << 30


def keep_freed_memory() -> None:
    """Have glibc keep what torch frees, instead of returning it and faulting it in again.

    Every training step frees and takes the same activations. glibc gives blocks of that size back
    to the system and gets them back page by page, which costs several per cent of a small network's
    step. Elsewhere than on Linux with glibc nothing is done.

    Effects: the process's allocator, so only a process that runs one program should call this.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Have the garbage collector leave alone, then and later, what is made within the block.

    It is for imports. Modules stay to the end, but the collector looks through all that is in them,
    several times while they are loaded and once more at the end, which is a fifth of the time that
    importing torch takes.

    Effects: what was garbage before is collected; what is there afterwards is never looked at.
    """
    if not gc.isenabled():
        yield
        return
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
