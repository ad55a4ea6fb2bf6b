"""`python -m refluid -m paddle.distributed.launch_ps`: trainers with parameter servers.

May import: refluid.checkpoint, refluid.distributed.
"""

from __future__ import annotations

import sys

from refluid.checkpoint.server_store import open_store
from refluid.distributed.fluid_launch_ps import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main(open_store))
