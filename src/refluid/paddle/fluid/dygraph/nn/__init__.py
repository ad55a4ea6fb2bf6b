"""The Layer classes, one file for each family. Paddle keeps them in one module of this path.

RowConv and SequenceConv, which Paddle's own module refuses to make in the dynamic graph, are not
here. May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.dygraph.nn.activation import PRelu
from refluid.paddle.fluid.dygraph.nn.conv import Conv2D, Conv3D
from refluid.paddle.fluid.dygraph.nn.conv_transpose import Conv2DTranspose, Conv3DTranspose
from refluid.paddle.fluid.dygraph.nn.dropout import Dropout
from refluid.paddle.fluid.dygraph.nn.embedding import Embedding
from refluid.paddle.fluid.dygraph.nn.linear import BilinearTensorProduct, Linear
from refluid.paddle.fluid.dygraph.nn.loss import BCELoss, L1Loss, MSELoss, NLLLoss
from refluid.paddle.fluid.dygraph.nn.nce import NCE
from refluid.paddle.fluid.dygraph.nn.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from refluid.paddle.fluid.dygraph.nn.pool import Pool2D
from refluid.paddle.fluid.dygraph.nn.recurrent import GRUUnit
from refluid.paddle.fluid.dygraph.nn.spectral_norm import SpectralNorm
from refluid.paddle.fluid.dygraph.nn.tree_conv import TreeConv

__all__ = [
    "NCE",
    "BCELoss",
    "BatchNorm",
    "BilinearTensorProduct",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Dropout",
    "Embedding",
    "GRUUnit",
    "GroupNorm",
    "InstanceNorm",
    "L1Loss",
    "LayerNorm",
    "Linear",
    "MSELoss",
    "NLLLoss",
    "PRelu",
    "Pool2D",
    "SpectralNorm",
    "TreeConv",
]
