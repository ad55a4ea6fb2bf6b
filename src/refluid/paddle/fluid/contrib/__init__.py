"""What Paddle 1.8 kept apart as contributed; of it only `contrib.reader`.

May import: contrib.reader.
"""

from __future__ import annotations

from refluid.paddle.fluid.contrib.reader import distributed_batch_reader

__all__ = ["distributed_batch_reader"]
