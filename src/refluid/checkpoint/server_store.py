"""Where a parameter server keeps its checkpoints: a `Store`, opened in the server's own process.

The launcher names this function and loads no torch.
May import: store when it is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from refluid.checkpoint.store import Store

__all__ = ["open_store"]


def open_store(folder: str, name: str) -> Store:
    """Return the checkpoints of one server.

    Args:
        folder: of the launch.
        name: of the server.
    """
    # the launcher, which imports this module, does not wait for torch
    from refluid.checkpoint.store import Store

    return Store(Path(folder, name), "server")
