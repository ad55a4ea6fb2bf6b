"""Read a pickle without running anything in it.

`pickle_machine` executes the opcodes; here its result is checked and finished. What is made is
bounded throughout: the number of steps, the bytes of all arrays, the depth, and the size that the
result has when shared parts are counted each time.

Errors are `CheckpointError`s that say the reason alone; the caller adds the file's name.
May import: numpy, errors, pickle_machine, pickle_objects.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from refluid.checkpoint.pickle_machine import Machine, describe
from refluid.checkpoint.pickle_objects import Shell
from refluid.errors import CheckpointError

__all__ = ["MAX_DEPTH", "load"]

MAX_DEPTH = 32
_LEAVES = (str, bytes, int, float, bool, type(None))


def load(stream: BinaryIO, size: int, note: str | None = None) -> Any:
    """Read the pickle that makes up the next `size` bytes of a stream.

    Args:
        stream: at the beginning of the pickle.
        size: number of bytes to the end of the file.
        note: a text that the pickle may push and drop again, which has been checked before.

    Returns:
        Dictionaries, lists, tuples, strings, bytes, numbers, None, NumPy numbers and arrays, which
        are writable and in native byte order. An OrderedDict becomes a dict.

    Raises:
        CheckpointError: anything is wrong with the pickle, or it refers to anything else.
    """
    machine = Machine(stream, size, note)
    try:
        value = machine.run()
    except CheckpointError as error:
        raise CheckpointError(f"{error} (at byte {machine.position} of {size})") from None
    return _Result(size).settle(value, 0)[0]


class _Result:
    """Check a finished value and put arrays in the place of their shells.

    A container that is met again is not walked again, but counted in full: two references to one
    list at each of 32 levels are four thousand million lists to whoever walks the result.
    """

    def __init__(self, size: int) -> None:
        self._limit = size  # without sharing, every value takes a byte of the file at least
        # By id of a container, which is kept alive here: result, values in it, levels below it
        self._done: dict[int, tuple[Any, Any, int, int]] = {}

    def settle(self, value: Any, depth: int) -> tuple[Any, int, int]:
        """Return the settled value, the number of values in it and the levels below it."""
        if type(value) in _LEAVES or isinstance(value, np.generic):
            return value, 1, 0
        if type(value) is Shell:
            if value.array is None:
                raise CheckpointError("an array in it has no contents")
            return value.array, 1, 0
        if type(value) not in (dict, list, tuple):
            raise CheckpointError(f"it holds {describe(value)} as a value")
        if depth >= MAX_DEPTH:
            raise CheckpointError(f"it is nested deeper than {MAX_DEPTH} levels")
        if id(value) not in self._done:
            self._done[id(value)] = (value, *self._rebuild(value, depth))
        _, result, count, levels = self._done[id(value)]
        if depth + levels > MAX_DEPTH:
            raise CheckpointError(f"it is nested deeper than {MAX_DEPTH} levels")
        return result, count, levels

    def _rebuild(self, value: Any, depth: int) -> tuple[Any, int, int]:
        parts, count, deepest = [], 1, 0
        for item in value.values() if type(value) is dict else value:
            part, values, levels = self.settle(item, depth + 1)
            parts.append(part)
            count += values
            deepest = max(deepest, levels)
            if count > self._limit:
                raise CheckpointError("it repeats its own parts more often than the file is long")
        result = dict(zip(value, parts, strict=True)) if type(value) is dict else type(value)(parts)
        return result, count, deepest + 1
