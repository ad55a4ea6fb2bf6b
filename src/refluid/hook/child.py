"""The hook in processes that the program starts with multiprocessing.

A forked process has it already. A spawned one is a new interpreter, which first unpickles what its
parent prepared and then imports the program's main module. So one more thing is prepared: an object
whose unpickling installs the hook. Processes started in other ways, as by
`subprocess.run([sys.executable, ...])`, are plain Python, as the program asked.
May import: nothing of refluid.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["SPAWN", "attach"]

SPAWN = "multiprocessing.spawn"


def attach(spawn: ModuleType, install: Callable[[], None]) -> None:
    """Make the module `multiprocessing.spawn` start processes that call `install` first.

    Effects: replaces its `get_preparation_data`, the one function through which the start methods
    spawn and forkserver both go; there is no official place to add to it.

    Args:
        spawn: the loaded module.
        install: a function that a new process can import by its name.
    """
    prepare: Callable[..., dict[str, Any]] = spawn.get_preparation_data

    @functools.wraps(prepare)
    def get_preparation_data(name: str) -> dict[str, Any]:
        # First, so that it is unpickled before anything that belongs to the program.
        return {install.__module__: _Called(install), **prepare(name)}

    spawn.get_preparation_data = get_preparation_data  # type: ignore[attr-defined]


class _Called:
    """Calls a function where it is unpickled."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function = function

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return self._function, ()
