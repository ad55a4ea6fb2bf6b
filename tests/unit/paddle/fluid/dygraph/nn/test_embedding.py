"""Which number the embedding layer pads."""

from __future__ import annotations

import numpy as np

from refluid.paddle.fluid.dygraph.base import to_variable
from refluid.paddle.fluid.dygraph.nn import Embedding
from refluid.paddle.fluid.initializer import Constant


def test_padding_may_be_counted_from_the_end():
    ids = to_variable(np.array([0, 2]))
    seven = Constant(7.0)
    layer = Embedding([3, 1], padding_idx=-1, param_attr=seven)
    assert layer._padding_idx == 2
    assert layer(ids).numpy().tolist() == [[7], [0]]
    assert layer.weight.numpy().tolist() == [[7], [7], [7]]
    assert Embedding([3, 1], param_attr=seven)(ids).numpy().tolist() == [[7], [7]]
