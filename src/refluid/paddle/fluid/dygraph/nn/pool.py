"""The pooling layer. May import: core_avx, layers."""

from __future__ import annotations

from refluid.paddle.fluid.core_avx.ops import pool
from refluid.paddle.fluid.core_avx.variable import VarBase
from refluid.paddle.fluid.dygraph.layers import Layer
from refluid.paddle.fluid.dygraph.nn.argument import (
    check_use_cudnn,
    one_of,
    per_axis,
    positive_per_axis,
)

__all__ = ["Pool2D"]


class Pool2D(Layer):
    """Pool image planes by maximum or average.

    Same as Paddle 1.8; note that the stride is 1 by default.

    Args:
        pool_size: size of the window, one number or two; must be given unless `global_pooling`.
        pool_type: "max" or "avg".
        pool_stride: distance of the windows.
        pool_padding: rows and columns added around the image.
        global_pooling: one window covers the plane.
        use_cudnn: accepted for compatibility.
        ceil_mode: round the number of windows up.
        exclusive: an average divides by the elements inside the image only.

    Raises:
        ValueError: `pool_type` or `pool_size` is none of these.
    """

    def __init__(
        self,
        pool_size: int | list[int] = -1,
        pool_type: str = "max",
        pool_stride: int | list[int] = 1,
        pool_padding: int | list[int] = 0,
        global_pooling: bool = False,
        use_cudnn: bool = True,
        ceil_mode: bool = False,
        exclusive: bool = True,
    ) -> None:
        one_of(pool_type, ("max", "avg"), "pool_type")
        if global_pooling is False and pool_size == -1:
            raise ValueError("`pool_size` must be given unless `global_pooling` is True.")
        super().__init__()
        self._pool_type = pool_type
        size = positive_per_axis if global_pooling is False else per_axis
        self._pool_size = size(pool_size, 2, "pool_size")
        self._pool_stride = positive_per_axis(pool_stride, 2, "pool_stride")
        self._pool_padding = per_axis(pool_padding, 2, "pool_padding")
        self._global_pooling = global_pooling
        self._use_cudnn = check_use_cudnn(use_cudnn)
        self._ceil_mode = ceil_mode
        self._exclusive = exclusive
        self._l_type = "pool2d"

    def forward(self, input: VarBase) -> VarBase:
        """Pool `input` [B, C, H, W]; the result is [B, C, H', W']."""
        return pool.pool2d(
            input, self._pool_size, self._pool_type, self._pool_stride, self._pool_padding,
            self._global_pooling, self._ceil_mode, self._exclusive,
        )  # fmt: skip
