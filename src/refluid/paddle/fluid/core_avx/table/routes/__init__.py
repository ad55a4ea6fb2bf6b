"""The table itself: for each operator's name, how its slots and attributes reach a function.

One file for each family; importing this package fills the table. In a route, names in capitals
are Paddle's slots, the others its attributes. May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.core_avx.table.routes import (
    detection,
    elementwise,
    image,
    layout,
    loss,
    making,
    measure,
    norm,
    optimizer,
    product,
    reduction,
    selection,
    sequence,
)

__all__ = [
    "detection",
    "elementwise",
    "image",
    "layout",
    "loss",
    "making",
    "measure",
    "norm",
    "optimizer",
    "product",
    "reduction",
    "selection",
    "sequence",
]
