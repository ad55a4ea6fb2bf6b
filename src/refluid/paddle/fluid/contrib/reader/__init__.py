"""Readers for programs of several processes. May import: contrib.reader.distributed_reader."""

from __future__ import annotations

from refluid.paddle.fluid.contrib.reader.distributed_reader import distributed_batch_reader

__all__ = ["distributed_batch_reader"]
