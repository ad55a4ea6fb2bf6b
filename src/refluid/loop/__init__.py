"""`Run`: a training loop that can be stopped at any instant and goes on bit for bit.

May import: loop.run, loop.step, loop.signals.
"""

from __future__ import annotations

from refluid.loop.run import Run
from refluid.loop.signals import RESUMABLE, Stopped
from refluid.loop.step import Step

__all__ = ["RESUMABLE", "Run", "Step", "Stopped"]
