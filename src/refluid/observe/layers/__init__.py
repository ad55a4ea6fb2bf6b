"""A look into the layers of a model: once, by `inspect`, or every so many steps, by `Watch`.

May import: torch, observe.
"""

from __future__ import annotations

from refluid.observe.layers.activation import DeadUnits
from refluid.observe.layers.content import Content
from refluid.observe.layers.layer import LayerFacts
from refluid.observe.layers.look import Channel, Look, inspect
from refluid.observe.layers.watch import Watch

__all__ = ["Channel", "Content", "DeadUnits", "LayerFacts", "Look", "Watch", "inspect"]
