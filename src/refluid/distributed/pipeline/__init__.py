"""A model too large for one device: its layers in stages, over processes or devices.

split.py     the way in             boundary.py  where it is cut
layers.py    taking a model apart   stage.py     the layers of one stage
pipeline.py  what can be done       processes.py, devices.py  the two ways how
May import: split, pipeline.
"""

from __future__ import annotations

from refluid.distributed.pipeline.pipeline import Pipeline
from refluid.distributed.pipeline.split import split

__all__ = ["Pipeline", "split"]
