"""Making variables, joining and converting them. Paddle keeps these in one module.

May import: its own files.
"""

from __future__ import annotations

from refluid.paddle.fluid.layers.tensor.constant import (
    arange,
    eye,
    fill_constant,
    fill_constant_batch_size_like,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    range,
    zeros,
    zeros_like,
)
from refluid.paddle.fluid.layers.tensor.join import cast, concat, sums, tensor_array_to_tensor
from refluid.paddle.fluid.layers.tensor.matrix import diag, kron, trace, tril, triu
from refluid.paddle.fluid.layers.tensor.order import (
    argmax,
    argmin,
    argsort,
    has_inf,
    has_nan,
    isfinite,
    reverse,
)
from refluid.paddle.fluid.layers.tensor.variable import (
    assign,
    create_global_var,
    create_parameter,
    create_tensor,
)

__all__ = [
    "arange",
    "argmax",
    "argmin",
    "argsort",
    "assign",
    "cast",
    "concat",
    "create_global_var",
    "create_parameter",
    "create_tensor",
    "diag",
    "eye",
    "fill_constant",
    "fill_constant_batch_size_like",
    "full",
    "full_like",
    "has_inf",
    "has_nan",
    "isfinite",
    "kron",
    "linspace",
    "ones",
    "ones_like",
    "range",
    "reverse",
    "sums",
    "tensor_array_to_tensor",
    "trace",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]
