"""The network of the course: two convolutions, each with max-pooling, and a linear layer.

Its layers have the course's names, so that a checkpoint of a program of the course fits.
Shapes: B batch, C channels, H height, W width.
May import: paddle.
"""

from __future__ import annotations

from refluid.data import NUM_CLASSES
from refluid.paddle import fluid
from refluid.paddle.fluid.core_avx import VarBase
from refluid.paddle.fluid.dygraph.nn import Conv2D, Linear, Pool2D

__all__ = ["DigitNetwork"]

_FILTERS = 20


class DigitNetwork(fluid.dygraph.Layer):
    """Tell which digit an image shows.

    Args:
        image_shape: [C, H, W] of the images; H and W at least 4.
    """

    def __init__(self, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, height, width = image_shape
        self._num_features = _FILTERS * (height // 4) * (width // 4)
        self.conv1 = Conv2D(channels, _FILTERS, filter_size=5, padding=2, act="relu")
        self.pool1 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.conv2 = Conv2D(_FILTERS, _FILTERS, filter_size=5, padding=2, act="relu")
        self.pool2 = Pool2D(pool_size=2, pool_stride=2, pool_type="max")
        self.fc = Linear(self._num_features, NUM_CLASSES, act="softmax")

    def forward(self, images: VarBase) -> VarBase:
        """Return the probability of each digit.

        Args:
            images: float32 [B, C, H, W].

        Returns:
            float32 [B, 10]; each row adds up to 1.
        """
        features = self.pool1(self.conv1(images))
        features = self.pool2(self.conv2(features))
        return self.fc(fluid.layers.reshape(features, [-1, self._num_features]))
