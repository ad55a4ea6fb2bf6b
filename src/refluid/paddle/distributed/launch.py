"""`python -m refluid -m paddle.distributed.launch`: start a program as several processes.

May import: refluid.distributed.
"""

from __future__ import annotations

import sys

from refluid.distributed.fluid_launch import get_gpus, launch, main

__all__ = ["get_gpus", "launch"]

if __name__ == "__main__":
    sys.exit(main())
