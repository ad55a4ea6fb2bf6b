"""`core.Layer`: what every Layer is to the engine. May import: torch."""

from __future__ import annotations

import torch

__all__ = ["Layer"]


class Layer(torch.nn.Module):
    """The class below `fluid.dygraph.Layer`, which programs derive from. Same as Paddle 1.8."""

    __module__ = "paddle.fluid.core_avx"

    def __init__(self) -> None:
        super().__init__()
